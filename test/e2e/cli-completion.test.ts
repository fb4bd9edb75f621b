import assert from 'node:assert/strict';
import { join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { execute, TestDaemon } from '../support/index.ts';

const bin = join(resolve(import.meta.dirname, '../..'), 'bin');

let daemon: TestDaemon;
before(async () => {
  daemon = await TestDaemon.start();
  await daemon.ok('create', '--name', 'box', 'busybox');
  await daemon.ok('volume', 'create', 'data');
  await daemon.ok('network', 'create', 'backend');
});
after(() => daemon[Symbol.asyncDispose]());

/** What bash offers for the last of these words. */
async function offered(...words: string[]): Promise<string[]> {
  const script =
    'source <(gantry completion bash); COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _gantry; printf "%s\\n" "${COMPREPLY[@]}"';
  const { stdout, stderr, code } = await execute('bash', ['-c', script, 'bash', ...words], {
    env: { PATH: `${bin}:${process.env.PATH}`, DOCKER_HOST: daemon.host, DOCKER_CONFIG: `${daemon.root}/config` },
  });
  assert.equal(code, 0, stderr);
  return stdout.split('\n').filter((line) => line !== '');
}

test('bash completes commands, flags and the names of what there is', async () => {
  assert.deepEqual(await offered('gantry', 'st'), ['start', 'stats', 'stop']);
  assert.deepEqual(await offered('gantry', 'container', 'ls', '--fo'), ['--format']);
  assert.deepEqual(await offered('gantry', 'rm', 'b'), ['box']);
  assert.deepEqual(await offered('gantry', 'run', 'bu'), ['busybox:latest']);
  assert.deepEqual(await offered('gantry', 'volume', 'rm', ''), ['data']);
  assert.deepEqual(await offered('gantry', 'run', '--network', 'ba'), ['backend']);
  assert.deepEqual(await offered('gantry', '-c', ''), ['default']);
  assert.deepEqual(await offered('gantry', '-D', 'volume', 'rm', 'd'), ['data']);
  assert.deepEqual(await offered('gantry', '--log-level', ''), []);
});
