import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { after, before, test } from 'node:test';
import {
  CraftedRegistry,
  DockerRegistry,
  eventually,
  hasDockerCli,
  hasDockerRegistry,
  TestDaemon,
  tarOf,
  USER,
} from '../support/index.ts';

const hasSkopeo = (process.env.PATH ?? '').split(delimiter).some((dir) => existsSync(join(dir, 'skopeo')));

let daemon: TestDaemon;
before(async () => {
  daemon = await TestDaemon.start();
});
after(async () => {
  await daemon?.[Symbol.asyncDispose]();
});

const skip = !hasDockerRegistry || !hasDockerCli;
test("Docker's client logs in at a registry with TLS and passwords, pushes, pulls and logs out", { skip }, async () => {
  await using registry = await DockerRegistry.start({ tls: true, auth: 'basic' });
  const certificates = `/etc/docker/certs.d/${registry.host}`;
  mkdirSync(certificates, { recursive: true });
  try {
    writeFileSync(join(certificates, 'ca.crt'), registry.authority ?? '');
    const name = `${registry.host}/team/box:1`;
    const login = (password: string) =>
      daemon.docker(['login', '-u', USER.username, '--password-stdin', registry.host], { input: password });
    const ok = async (...args: string[]) => {
      const outcome = await daemon.docker(args);
      assert.equal(outcome.code, 0, `${args.join(' ')}: ${outcome.stderr}`);
      return outcome.stdout;
    };
    const wrong = await login('a-wrong-one');
    assert.equal(wrong.code, 1);
    assert.match(wrong.stderr, /failed with status: 401 Unauthorized/);
    assert.doesNotMatch(wrong.stderr + readFileSync(daemon.logFile, 'utf8'), /a-wrong-one/);
    const good = await login(USER.password);
    assert.match(good.stdout, /Login Succeeded/, good.stderr);
    await ok('tag', 'busybox', name);
    assert.match(await ok('push', name), /1: digest: sha256:[0-9a-f]{64} size: \d+/);
    await ok('rmi', name);
    assert.match(await ok('pull', name), /Downloaded newer image|Image is up to date/);
    assert.match(await ok('logout', registry.host), /Removing login credentials/);
    const refused = await daemon.docker(['pull', name]);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /no basic auth credentials/);
    await ok('rmi', name);
  } finally {
    rmSync(certificates, { recursive: true });
  }
});

test('a daemon that is killed in mid-pull leaves nothing to be seen, and goes on where it was', async () => {
  await using registry = await CraftedRegistry.start();
  const { id, layers } = registry.addImage('r/killed:latest', [await tarOf({ large: randomBytes(3_000_000) })]);
  const digest = layers[0]!.digest;
  const half = Promise.withResolvers<void>();
  let first = true;
  registry.intercept = (request, response, bytes) => {
    if (!request.url?.endsWith(digest) || bytes === undefined || !first) return false;
    first = false;
    response.writeHead(200, { 'content-length': bytes.length });
    response.write(bytes.subarray(0, 2_000_000), () => half.resolve());
    return true;
  };
  const name = `${registry.host}/r/killed`;
  const pull = () => daemon.api('POST', `/images/create?fromImage=${encodeURIComponent(name)}&tag=latest`);
  const broken = pull().catch(() => undefined);
  await half.promise;
  // Some of it is on disk.
  const arrived = () =>
    Number(
      execFileSync('du', ['-sb', join(daemon.dataRoot, 'content/ingest')])
        .toString()
        .split('\t')[0],
    );
  await eventually('bytes on disk', async () => arrived() > 1_000_000);
  await daemon.crash();
  await broken;
  await daemon.launch();
  assert.equal((await daemon.api('GET', `/images/${name}/json`)).status, 404);
  assert.match((await pull()).text, /Downloaded newer image/);
  assert.ok(registry.asked.some((line) => line.includes(`${digest} bytes=`) && !line.includes('bytes=0-')));
  assert.equal((await daemon.api('GET', `/images/${name}/json`)).json.Id, id);
  await daemon.api('DELETE', `/images/${name}`);
});

test('skopeo reads the data root as an image layout', { skip: !hasSkopeo }, async () => {
  const shown = execFileSync('skopeo', ['inspect', '--raw', `oci:${join(daemon.dataRoot, 'content')}:latest`]);
  const { config } = JSON.parse(shown.toString());
  assert.equal(config.digest, (await daemon.api('GET', '/images/busybox/json')).json.Id);
});
