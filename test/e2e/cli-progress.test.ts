import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { pack } from 'tar-stream';
import { craftImage, publish, tarOf } from '../support/crafted-image.ts';
import { FakeRegistry } from '../support/fake-registry.ts';
import { eventually, inTerminal as runInTerminal, type Step, TestDaemon } from '../support/index.ts';

let daemon: TestDaemon;
let registry: FakeRegistry;
before(async () => {
  daemon = await TestDaemon.start();
  registry = await FakeRegistry.start();
});
after(async () => {
  await registry[Symbol.asyncDispose]();
  await daemon[Symbol.asyncDispose]();
});
const root = mkdtempSync(join(tmpdir(), 'gt-progress-'));
after(() => rmSync(root, { recursive: true }));

interface Place {
  host?: string;
  cols?: number;
  cwd?: string;
  env?: Record<string, string>;
}
const inTerminal = (args: readonly string[], steps: readonly Step[], { host, env, ...place }: Place = {}) =>
  runInTerminal(args, steps, {
    env: { DOCKER_HOST: host ?? daemon.host, DOCKER_CONFIG: `${daemon.root}/config`, ...env },
    ...place,
  });
const CTRL_C: Step = { send: '\x03' };
const INTERRUPTED = -2;

/** What a terminal shows of it, line by line; each redraw of a line is one. */
const drawn = (output: string): string[] =>
  output
    .replace(/\x1b\[[0-9;?]*[A-Za-z]/g, '')
    .split(/[\r\n]+/)
    .filter((line) => line !== '');

async function publishSlowly(name: string): Promise<string> {
  const layers = await Promise.all([1, 2, 3].map(() => tarOf([[`file-${name}`, randomBytes(200_000)]])));
  publish(registry, name, 'latest', craftImage(layers));
  registry.fault = ({ method, path }) =>
    method === 'GET' && path.includes('/blobs/') ? { chunkBytes: 10_000, pauseMs: 20 } : undefined;
  return `${registry.host}/${name}`;
}

test('a pull shows a bar for each layer where there is room, and no more than fits where there is not', async () => {
  const wide = await inTerminal(['pull', await publishSlowly('wide')], [], { cols: 130, env: { NO_COLOR: '1' } });
  assert.equal(wide.code, 0);
  assert.match(wide.output, /[0-9a-f]{12}: Downloading +\[=*> *\] +[\d.]+kB\/200\.\dkB/);
  assert.equal(new Set(wide.output.match(/[0-9a-f]{12}(?=: Pull complete)/g)).size, 3);
  assert.doesNotMatch(wide.output, /\x1b\[[\d;]*m/);
  const narrow = await inTerminal(['pull', await publishSlowly('narrow')], [{ resize: [24, 30] }], { cols: 40 });
  assert.equal(narrow.code, 0);
  const layers = drawn(narrow.output).filter((line) => /^[0-9a-f]{12}: /.test(line));
  assert.ok(layers.some((line) => line.includes('Downloading')));
  assert.deepEqual(
    layers.filter((line) => line.length > 40),
    [],
  );
});

test('without a terminal a pull prints a line for each event and no bars', async () => {
  const { stdout, stderr } = await daemon.gantry(['pull', await publishSlowly('plain')]);
  assert.equal(stderr, '');
  assert.doesNotMatch(stdout, /[\r\x1b]|Downloading/);
  assert.equal(stdout.match(/^[0-9a-f]{12}: Pull complete$/gm)?.length, 3);
});

test('Ctrl-C ends a pull at once, on both sides, and no image is left', async () => {
  const name = await publishSlowly('broken-off');
  registry.fault = ({ path }) => (path.includes('/blobs/') ? { chunkBytes: 1000, pauseMs: 100 } : undefined);
  const { code } = await inTerminal(['pull', name], [{ expect: 'Downloading' }, CTRL_C]);
  assert.equal(code, INTERRUPTED);
  assert.equal(await daemon.ok('images', '-q', name), '');
  await eventually('the registry is let go', () => registry.connections().then((count) => count === 0));
});

test('Ctrl-C ends a push at once', async () => {
  registry.fault = undefined;
  const name = `${registry.host}/pushed`;
  await daemon.ok('tag', 'busybox', name);
  registry.fault = ({ method }) => (method === 'PATCH' || method === 'PUT' ? { delayMs: 60_000 } : undefined);
  const { code } = await inTerminal(['push', name], [{ expect: 'Push' }, CTRL_C]);
  assert.equal(code, INTERRUPTED);
  registry.fault = undefined;
  const { output } = await inTerminal(['push', name], [], { cols: 130 });
  assert.match(output, /[0-9a-f]{12}: Pushed/);
});

test('a load shows a bar for each layer and what was loaded', async () => {
  const archive = join(root, 'fresh.tar');
  const layer = await tarOf([['file', randomBytes(1_000_000)]]);
  await daemon.gantry(['import', '-', 'fresh'], { input: layer });
  assert.equal((await inTerminal(['save', '-o', archive, 'fresh'], [])).code, 0);
  await daemon.ok('rmi', 'fresh');
  const { output } = await inTerminal(['load', '-i', archive], [], { cols: 130 });
  assert.match(output, /Loading layer +\[=+>\] +[\d.]+MB\/[\d.]+MB[\s\S]*Loaded image: fresh:latest\r\n$/);
});

/** A daemon that takes and gives bytes slowly, without an end. */
async function slowDaemon() {
  let open = 0;
  const serve = (request: IncomingMessage, response: ServerResponse): void => {
    const { method, url = '' } = request;
    const stat = {
      name: 'big',
      size: 1e10,
      mode: method === 'HEAD' ? 0x800001ed : 0o644,
      mtime: new Date(0),
      linkTarget: '',
    };
    response.setHeader('x-docker-container-path-stat', Buffer.from(JSON.stringify(stat)).toString('base64'));
    if (url === '/_ping') return void response.setHeader('api-version', '1.51').end();
    if (url.endsWith('/volumes/create')) return void response.writeHead(201).end('{"Name":"v"}');
    if (method === 'HEAD') return void response.end();
    open++;
    response.on('close', () => open--);
    if (method === 'PUT' || method === 'POST') {
      request.on('data', () => {
        request.pause();
        setTimeout(() => request.resume(), 5);
      });
      return;
    }
    const archive = pack();
    const file = archive.entry({ name: 'big', size: 1e10 });
    for (const stream of [archive, file]) stream.on('error', () => {});
    const timer = setInterval(() => file.write(Buffer.alloc(10_000)), 20);
    response.on('close', () => clearInterval(timer));
    archive.pipe(response);
  };
  const server = createServer(serve);
  await new Promise<void>((done) => void server.listen(0, '127.0.0.1', done));
  return {
    host: `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`,
    open: () => open,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

const LONG_WORK: readonly [words: string[], shows: string][] = [
  [['save', '-o', 'new.tar', 'x'], 'Saving'],
  [['save', '-o', 'old.tar', 'x'], 'Saving'],
  [['export', '-o', 'new.tar', 'c'], 'Saving'],
  [['volume', 'export', '-o', 'new.tar', 'v'], 'Saving'],
  [['cp', 'c:/big', 'new'], 'Copying from container'],
  [['cp', 'c:/big', 'old.tar'], 'Copying from container'],
  [['cp', 'large', 'c:/'], 'Copying to container'],
  [['import', 'large'], 'Importing'],
  [['volume', 'import', 'v', 'large'], 'Importing'],
];
for (const [words, shows] of LONG_WORK)
  test(`Ctrl-C ends ${words.join(' ')} at once, and leaves nothing behind`, async () => {
    await using slow = await slowDaemon();
    const cwd = mkdtempSync(join(root, 'work-'));
    writeFileSync(join(cwd, 'old.tar'), 'as it was');
    // More than what is on its way at once; holes alone would not be sent.
    writeFileSync(join(cwd, 'large'), Buffer.alloc(32 << 20, 'x'));
    truncateSync(join(cwd, 'large'), 5e9);
    const { code, output } = await inTerminal(words, [{ expect: shows }, CTRL_C], { host: slow.host, cwd, cols: 40 });
    assert.equal(code, INTERRUPTED);
    assert.ok(
      drawn(output).every((line) => line.length < 40),
      output,
    );
    assert.match(output, /\x1b\[2K$/, 'the line of the progress is gone');
    assert.deepEqual(readdirSync(cwd).toSorted(), ['large', 'old.tar']);
    assert.equal(readFileSync(join(cwd, 'old.tar'), 'utf8'), 'as it was');
    await eventually('the connection is closed', () => slow.open() === 0);
  });
