import assert from 'node:assert/strict';
import { request } from 'node:http';
import { test } from 'node:test';
import { eventually, TestDaemon, tarOf } from '../support/index.ts';

/** Starts a build whose step says that it runs, and never ends; answers what the client has seen when the answer is over. */
async function endlessBuild(daemon: TestDaemon, tag: string): Promise<{ over: Promise<string> }> {
  const body = await tarOf({
    Dockerfile: 'FROM busybox\nRUN --mount=type=cache,target=/c --mount=target=/ctx,rw echo has_beg""un; sleep 1000',
  });
  const call = request({
    socketPath: daemon.socket,
    method: 'POST',
    path: `/v1.51/build?t=${tag}`,
    headers: { 'content-length': body.length },
  });
  let seen = '';
  const over = Promise.withResolvers<string>();
  const running = Promise.withResolvers<void>();
  call.on('error', () => over.resolve(seen));
  call.on('response', (answer) => {
    answer.on('data', (chunk: Buffer) => {
      seen += chunk.toString();
      if (seen.includes('has_begun')) running.resolve();
    });
    answer.on('error', () => over.resolve(seen));
    answer.on('close', () => over.resolve(seen));
  });
  call.end(body);
  await running.promise;
  return { over: over.promise };
}

const ofBuild = (leaks: readonly string[]) => leaks.filter((leak) => !leak.includes('interface'));

test('a daemon that ends cancels its builds and takes their steps with it', async () => {
  await using daemon = await TestDaemon.start();
  const { over } = await endlessBuild(daemon, 'ended');
  await daemon.terminate();
  assert.match(await over, /"error":"[^"]*cancel/);
  assert.deepEqual(await daemon.leaks(), []);
  await daemon.launch();
  assert.equal((await daemon.api('GET', '/images/ended/json')).status, 404);
});

test('what the builds of a killed daemon left is gone after the next start', async () => {
  await using daemon = await TestDaemon.start();
  // The first container makes what the daemon keeps while it runs.
  await daemon.ok('run', '--rm', 'busybox', 'true');
  const idle = await eventually('its removal', async () => {
    const leaks = await daemon.leaks();
    return leaks.some((leak) => /^(mount|process) /.test(leak)) ? undefined : leaks;
  });
  const { over } = await endlessBuild(daemon, 'killed');
  await daemon.crash();
  await over;
  assert.ok(ofBuild(await daemon.leaks()).length > 0, 'the step runs on when its daemon is killed');
  await daemon.launch();
  await eventually('nothing is left', async () => (await daemon.leaks()).length <= idle.length, 10_000);
  assert.deepEqual(await daemon.leaks(), idle);
});
