import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, test } from 'node:test';
import { execute, type Outcome } from '../support/index.ts';

const checkout = resolve(import.meta.dirname, '../..');
const root = mkdtempSync(join(tmpdir(), 'gt-connection-'));
after(() => rmSync(root, { recursive: true }));

/** A daemon that answers every request the same way; what was asked of it, and the host it listens on. */
async function fakeDaemon(answer: (request: IncomingMessage, response: ServerResponse) => void) {
  const requests: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    requests.push(request);
    answer(request, response);
  });
  await new Promise<void>((done) => void server.listen(0, '127.0.0.1', done));
  const host = `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { requests, host, [Symbol.asyncDispose]: async () => void server.close() };
}
const json = (response: ServerResponse, status: number, body: unknown): void =>
  void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));

async function gantry(args: readonly string[], env: Record<string, string>): Promise<Outcome> {
  const outcome = await execute(join(checkout, 'bin/gantry'), args, {
    env: { DOCKER_CONFIG: join(root, 'none'), GANTRY_NO_AUTOSTART: '1', ...env },
  });
  assert.doesNotMatch(outcome.stderr, /^\s+at .*:\d+:\d+/m, 'a stack trace is no message');
  return outcome;
}

const tooNew = (maximum: string) => (request: IncomingMessage, response: ServerResponse) =>
  request.url?.startsWith(`/v${maximum}/`)
    ? json(response, 200, [])
    : json(response, 400, {
        message: `client version 1.51 is too new. Maximum supported API version is ${maximum}`,
      });

test('an older daemon is spoken to in its own version', async () => {
  await using daemon = await fakeDaemon(tooNew('1.40'));
  const { code, stderr, stdout } = await gantry(['ps', '-q'], { DOCKER_HOST: daemon.host });
  assert.deepEqual([code, stderr, stdout], [0, '', '']);
  assert.match(daemon.requests.at(-1)!.url!, /^\/v1\.40\//);
});

test('a daemon that is too old is told apart, and what to do', async () => {
  await using daemon = await fakeDaemon(tooNew('1.12'));
  const { code, stderr } = await gantry(['ps'], { DOCKER_HOST: daemon.host });
  assert.equal(code, 1);
  assert.match(stderr, /the daemon speaks API version 1\.12, but this client needs 1\.24 or newer: upgrade the daemon/);
});

test('a daemon that is too new says so itself', async () => {
  const message = 'client version 1.51 is too old. Minimum supported API version is 1.60';
  await using daemon = await fakeDaemon((_, response) => json(response, 400, { message }));
  const { code, stderr } = await gantry(['ps'], { DOCKER_HOST: daemon.host });
  assert.equal(code, 1);
  assert.match(stderr, /client version 1\.51 is too old\. Minimum supported API version is 1\.60/);
});

test('DOCKER_API_VERSION is used as it is', async () => {
  await using daemon = await fakeDaemon((_, response) => json(response, 200, []));
  assert.equal((await gantry(['ps', '-q'], { DOCKER_HOST: daemon.host, DOCKER_API_VERSION: '1.30' })).code, 0);
  assert.match(daemon.requests[0]!.url!, /^\/v1\.30\//);
});

test('HttpHeaders of config.json go with every request', async () => {
  await using daemon = await fakeDaemon((_, response) => json(response, 200, []));
  const config = join(root, 'headers');
  mkdirSync(config);
  writeFileSync(join(config, 'config.json'), JSON.stringify({ HttpHeaders: { 'X-Mine': 'yes' } }));
  assert.equal((await gantry(['ps', '-q'], { DOCKER_HOST: daemon.host, DOCKER_CONFIG: config })).code, 0);
  assert.equal(daemon.requests[0]!.headers['x-mine'], 'yes');
});

test('what is no daemon is told, without a stack trace', async () => {
  await using page = await fakeDaemon((_, response) => void response.writeHead(200).end('<html>'));
  const strange = await gantry(['ps'], { DOCKER_HOST: page.host });
  assert.equal(strange.code, 1);
  assert.notEqual(strange.stderr, '');
  const absent = await gantry(['ps'], { DOCKER_HOST: 'unix:///nowhere/s' });
  assert.equal(absent.code, 1);
  assert.match(
    absent.stderr,
    /^Cannot connect to the Gantry daemon at unix:\/\/\/nowhere\/s\. Is gantryd running\?\n.*from DOCKER_HOST: unset it.*\n$/,
  );
  for (const host of ['foo://x', 'tcp://:::', 'unix://', 'tcp://127.0.0.1:99999']) {
    const wrong = await gantry(['ps'], { DOCKER_HOST: host });
    assert.equal(wrong.code, 1, host);
    assert.notEqual(wrong.stderr, '', host);
  }
});

test('the default context can be exported, and taken in elsewhere', async () => {
  const env = { DOCKER_HOST: 'tcp://far:1', DOCKER_CONFIG: join(root, 'exported') };
  const file = join(root, 'default.dockercontext');
  assert.equal((await gantry(['context', 'export', 'default', file], env)).code, 0);
  assert.equal((await gantry(['context', 'import', 'copy', file], env)).code, 0);
  const { stdout } = await gantry(['context', 'inspect', 'copy', '-f', '{{.Endpoints.docker.Host}}'], env);
  assert.equal(stdout, 'tcp://far:1\n');
});

test('logout with a credential helper that is missing warns and goes on', async () => {
  const config = join(root, 'no-helper');
  mkdirSync(config);
  writeFileSync(join(config, 'config.json'), '{"credsStore":"nobody"}');
  const { code, stderr } = await gantry(['logout', 'registry.example.com'], { DOCKER_CONFIG: config });
  assert.equal(code, 0, stderr);
  assert.match(stderr, /^WARNING: could not erase credentials:\nregistry\.example\.com: .*docker-credential-nobody/);
});

test("Docker's command-line plugins run with the whole command line, and reach this machine's daemon", async () => {
  const config = join(root, 'with-plugins');
  mkdirSync(join(config, 'cli-plugins'), { recursive: true });
  const script = `#!/bin/sh
[ "$1" != docker-cli-plugin-metadata ] || { echo '{"SchemaVersion":"0.1.0","ShortDescription":"Says what it got"}'; exit; }
echo "$* $DOCKER_HOST $DOCKER_BUILDKIT"
[ "$3" != die ] || kill -TERM $$
exit 7`;
  writeFileSync(join(config, 'cli-plugins/docker-hello'), script, { mode: 0o755 });
  writeFileSync(join(config, 'cli-plugins/docker-plain'), script);
  const env = { DOCKER_CONFIG: config };
  assert.match((await gantry(['--help'], env)).stdout, /^Plugins:\n {2}hello\* +Says what it got\n$/m);
  const plain = await gantry(['hello', 'a', '-x'], env);
  assert.deepEqual([plain.code, plain.stdout], [7, 'hello a -x unix:///run/gantry/gantry.sock 0\n']);
  const far = await gantry(['-H', 'tcp://far:1', 'hello', 'a'], env);
  assert.deepEqual([far.code, far.stdout], [7, '-H tcp://far:1 hello a  \n']);
  assert.equal((await gantry(['hello', 'a', 'die'], env)).code, 143);
  assert.equal((await gantry(['help', 'hello'], env)).stdout, 'hello --help unix:///run/gantry/gantry.sock 0\n');
  for (const name of ['plain', '../cli-plugins/docker-hello', 'nobody'])
    assert.match((await gantry([name], env)).stderr, / is not a gantry command/);
});
