import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { test } from 'node:test';
import { eventually, TestDaemon } from '../support/index.ts';

test('a process of another user without input reads nothing, and the machine’s /dev/null stays root’s', async () => {
  await using daemon = await TestDaemon.start();
  await daemon.ok('run', '-d', '--name', 'one', '--stop-signal', 'KILL', 'busybox', 'sleep', '1000');
  assert.equal(await daemon.ok('exec', '-u', '1000', 'one', 'sh', '-c', 'cat; id -u'), '1000');
  await daemon.ok('exec', '-d', '-u', '1000', 'one', 'sh', '-c', 'cat; id -u > /tmp/done');
  await eventually('the detached one ends', async () => {
    const seen = await daemon.gantry(['exec', 'one', 'cat', '/tmp/done']);
    return seen.stdout.trim() === '1000';
  });
  await daemon.ok('run', '--rm', '-u', '1000', 'busybox', 'cat');
  const { uid, gid } = statSync('/dev/null');
  assert.deepEqual({ uid, gid }, { uid: 0, gid: 0 });
});

test('an exec is started once', async () => {
  await using daemon = await TestDaemon.start();
  await daemon.ok('run', '-d', '--name', 'one', '--stop-signal', 'KILL', 'busybox', 'sleep', '1000');
  const { json } = await daemon.api('POST', '/containers/one/exec', { Cmd: ['true'], AttachStdout: true });
  const start = () => daemon.api('POST', `/exec/${json.Id}/start`, { Detach: false });
  assert.equal((await start()).status, 200);
  const again = await start();
  assert.deepEqual([again.status, again.json?.message], [409, `exec command ${json.Id} has already run`]);
});
