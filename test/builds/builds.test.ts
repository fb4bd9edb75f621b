import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { debianTar, hasMmdebstrap, ownSuite } from '../support/debian.ts';
import { eventually, execute, TestDaemon } from '../support/index.ts';
import { NpmCache } from './npm-cache.ts';

/**
 * Builds as people make them, on a Debian base: packages from Debian and from npm (by a registry on loopback that keeps them), compilers,
 * several stages. `npm run test:builds` (the first time it makes the base image and fetches some 50 MB).
 */
const checkout = resolve(import.meta.dirname, '../..');
const cache = join(process.env.GANTRY_CACHE ?? join(checkout, '.cache'), 'data', 'npm');
const NPM = '10.9.2';
/** A compiler takes its time, and so do packages from afar. */
const PATIENCE_MS = 600_000;

const HELLO_C = `#include <stdio.h>
int main(int argc, char **argv) { printf("hello %s\\n", argc > 1 ? argv[1] : "world"); return 0; }
`;

const SERVER_JS = `const express = require('express');
const app = express();
app.get('/sum', (request, response) => response.json({ sum: Number(request.query.a) + Number(request.query.b) }));
app.listen(8080, () => console.log('ready'));
`;

describe('real builds on a Debian base', { skip: hasMmdebstrap ? false : 'needs mmdebstrap' }, () => {
  let daemon: TestDaemon;
  let npm: NpmCache;
  let contexts: string;
  before(async () => {
    const base = await debianTar(ownSuite());
    const { stdout } = await execute('npm', ['config', 'get', 'registry']);
    npm = await NpmCache.start(stdout.trim(), cache);
    contexts = mkdtempSync(join(tmpdir(), 'gantry-builds-'));
    daemon = await TestDaemon.start({ busybox: false });
    await daemon.ok('import', base, 'debian');
  });
  after(async () => {
    await daemon?.[Symbol.asyncDispose]();
    await npm?.[Symbol.asyncDispose]();
    rmSync(contexts, { recursive: true, force: true });
  });

  async function build(name: string, files: Record<string, string>, ...args: string[]): Promise<string> {
    const context = join(contexts, name);
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(context, path)), { recursive: true });
      writeFileSync(join(context, path), text);
    }
    const built = await daemon.gantry(
      ['build', '--progress', 'plain', '--network', 'host', '-t', name, ...args, context],
      { timeoutMs: PATIENCE_MS },
    );
    assert.equal(built.code, 0, (built.stdout + built.stderr).slice(-4000));
    return built.stdout;
  }
  const run = (...args: string[]) => daemon.ok('run', '--rm', '--network', 'none', ...args);
  /** Bytes of an image's top layer. */
  const topLayer = async (image: string) =>
    Number((await daemon.ok('history', '--human=false', '--format', '{{.Size}}', image)).split('\n')[0]);

  it('a C program is compiled with packages of the distribution', { timeout: PATIENCE_MS }, async () => {
    await build('c-program', {
      'hello.c': HELLO_C,
      Dockerfile: `FROM debian
RUN apt-get update \\
 && apt-get install -y --no-install-recommends gcc libc6-dev make \\
 && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY hello.c .
RUN make hello && ./hello builder
CMD ["./hello", "from the image"]
`,
    });
    assert.equal(await run('c-program'), 'hello from the image');
  });

  it('a static result stands on scratch alone', { timeout: PATIENCE_MS }, async () => {
    const told = await build('static', {
      'hello.c': HELLO_C,
      Dockerfile: `FROM debian AS build
RUN apt-get update \\
 && apt-get install -y --no-install-recommends gcc libc6-dev make \\
 && rm -rf /var/lib/apt/lists/*
COPY hello.c /src/
RUN gcc -static -O2 -o /hello /src/hello.c
FROM scratch
COPY --from=build /hello /
ENTRYPOINT ["/hello"]
`,
    });
    assert.match(told, /Using cache/, 'the toolchain is the other build’s');
    assert.equal(await run('static', 'scratch'), 'hello scratch');
    assert.equal(await daemon.ok('inspect', '-f', '{{len .RootFS.Layers}}', 'static'), '1');
    assert.ok((await topLayer('static')) < 2_000_000);
  });

  it('what is installed, used and purged in one command leaves a small layer', { timeout: PATIENCE_MS }, async () => {
    await build('purged', {
      'kv.c': HELLO_C,
      Makefile: 'kv: kv.c\ninstall: kv\n\tinstall kv /usr/local/bin/\n',
      // The documents' redis example, with a source that is at hand.
      Dockerfile: `FROM debian
COPY kv.c Makefile /tmp/kv/
RUN tar -C /tmp -czf /kv.tar.gz kv && rm -r /tmp/kv
RUN buildDeps='gcc libc6-dev make' \\
 && apt-get update \\
 && apt-get install -y --no-install-recommends $buildDeps \\
 && mkdir -p /usr/src/kv \\
 && tar -xzf kv.tar.gz -C /usr/src/kv --strip-components=1 \\
 && make -C /usr/src/kv \\
 && make -C /usr/src/kv install \\
 && rm -rf /var/lib/apt/lists/* kv.tar.gz /usr/src/kv \\
 && apt-get purge -y --auto-remove $buildDeps \\
 && apt-get clean
CMD ["kv", "purged"]
`,
    });
    assert.equal(await run('purged'), 'hello purged');
    assert.equal(
      await run('purged', 'sh', '-c', 'command -v gcc make || ls /kv.tar.gz /usr/src/kv 2>/dev/null || echo gone'),
      'gone',
    );
    const bytes = Number(
      (await daemon.ok('history', '--human=false', '--format', '{{.Size}}', 'purged')).split('\n')[1],
    );
    assert.ok(bytes > 0 && bytes < 10_000_000, `${bytes} bytes`);
  });

  it('a Node service is installed from a registry and serves', { timeout: PATIENCE_MS }, async () => {
    await build(
      'node',
      {
        Dockerfile: `FROM debian
RUN apt-get update \\
 && apt-get install -y --no-install-recommends nodejs \\
 && rm -rf /var/lib/apt/lists/*
ARG NPM
ADD --unpack=true $NPM /usr/local/lib/
RUN ln -s ../lib/package/bin/npm-cli.js /usr/local/bin/npm && npm --version
`,
      },
      '--build-arg',
      `NPM=${await npm.tarball('npm', NPM)}`,
    );
    const files = {
      'package.json': JSON.stringify({ name: 'service', private: true, dependencies: { express: '4.21.2' } }),
      'server.js': SERVER_JS,
      '.dockerignore': 'node_modules\n',
      'node_modules/express/index.js': "throw new Error('of the machine that builds')",
      Dockerfile: `FROM node AS deps
WORKDIR /app
COPY package.json .
ARG REGISTRY
RUN --mount=type=cache,target=/root/.npm npm install --omit=dev --no-audit --no-fund --registry "$REGISTRY"
FROM node
WORKDIR /app
COPY --from=deps /app/node_modules node_modules
COPY . .
USER nobody
EXPOSE 8080
HEALTHCHECK --interval=1s CMD ["node", "-e", "fetch('http://127.0.0.1:8080/sum').then((r) => process.exit(r.ok ? 0 : 1))"]
CMD ["node", "server.js"]
`,
    };
    const registry = ['--build-arg', `REGISTRY=${npm.url}`];
    await build('service', files, ...registry);
    const id = await daemon.ok('run', '-d', '--network', 'none', 'service');
    try {
      await eventually(
        'the service is healthy',
        async () => (await daemon.ok('inspect', '-f', '{{.State.Health.Status}}', id)) === 'healthy',
      );
      const ask = "fetch('http://127.0.0.1:8080/sum?a=2&b=40').then((r) => r.text()).then(console.log)";
      assert.equal(await daemon.ok('exec', id, 'node', '-e', ask), '{"sum":42}');
    } finally {
      await daemon.ok('rm', '-f', id);
    }
    const again = await build('service', { ...files, 'server.js': `${SERVER_JS}// changed\n` }, ...registry);
    assert.match(again, /npm install[^\n]*\n ---> Using cache/, 'a changed source installs nothing again');
  });
});
