import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { hasDockerCli, TestDaemon } from '../support/index.ts';

/**
 * `ssh://` hosts without a network: the `ssh` of these tests runs the remote command on this machine, as sshd's shell would. So what is
 * tried is the command that goes to ssh and the bytes that come back through `system dial-stdio`.
 */
let daemon: TestDaemon;
let env: Record<string, string>;
before(async () => {
  daemon = await TestDaemon.start();
  const bin = join(daemon.root, 'remote');
  mkdirSync(bin);
  const program = (name: string, text: string): void => {
    writeFileSync(join(bin, name), `#!/bin/sh\n${text}\n`);
    chmodSync(join(bin, name), 0o755);
  };
  const gantry = join(import.meta.dirname, '../../bin/gantry');
  program('gantry', `exec "${gantry}" "$@"`);
  // A remote machine whose `docker` is gantry, for Docker's CLI; only the remote side sees it.
  mkdirSync(join(bin, 'bin'));
  program('bin/docker', `exec "${gantry}" "$@"`);
  program('ssh', `while [ "$1" != -- ]; do shift; done\nshift 2\nPATH="${bin}/bin:$PATH" exec sh -c "$*"`);
  env = { DOCKER_HOST: `ssh://me@far${daemon.socket}`, PATH: `${bin}:${process.env.PATH}` };
});
after(() => daemon[Symbol.asyncDispose]());

test('gantry reaches a daemon through ssh, streams and exit codes included', async () => {
  const outcome = await daemon.gantry(['run', '--rm', '-i', 'busybox', 'sh', '-c', 'cat; exit 3'], {
    env,
    input: 'through ssh\n',
  });
  assert.equal(outcome.stdout, 'through ssh\n');
  assert.equal(outcome.code, 3, outcome.stderr);
});

test("Docker's CLI reaches gantryd through ssh and gantry system dial-stdio", { skip: !hasDockerCli }, async () => {
  const outcome = await daemon.docker(['version', '-f', '{{.Server.APIVersion}}'], { env });
  assert.equal(outcome.stdout, '1.51\n', outcome.stderr);
});

test('where ssh fails, its own words are told and what to look at', async () => {
  const bin = join(daemon.root, 'failing');
  mkdirSync(bin);
  writeFileSync(join(bin, 'ssh'), '#!/bin/sh\necho "me@far: Permission denied (publickey)." >&2\nexit 255\n');
  chmodSync(join(bin, 'ssh'), 0o755);
  const outcome = await daemon.gantry(['ps'], { env: { ...env, PATH: `${bin}:${process.env.PATH}` } });
  assert.equal(outcome.code, 1);
  assert.match(outcome.stderr, /has exited with exit status 255: me@far: Permission denied \(publickey\)\.$/m);
  assert.match(outcome.stderr, /See whether 'ssh far' works/);
});
