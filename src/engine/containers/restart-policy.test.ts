import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { ContainerRecord } from './record.ts';
import { nextBackoffMs, restartsAfterExit, restartsWithDaemon, staysStopped } from './restart-policy.ts';

const record = (Name: string, state: Partial<ContainerRecord['state']> = {}, MaximumRetryCount = 0): ContainerRecord =>
  ({
    host: { RestartPolicy: { Name, MaximumRetryCount } },
    state: { status: 'exited', exitCode: 0, restartCount: 0, stoppedByUser: false, ...state },
  }) as unknown as ContainerRecord;

it('doubles the wait up to a minute, and begins anew after ten seconds of running', () => {
  assert.equal(nextBackoffMs(undefined, 0), 100);
  assert.equal(nextBackoffMs(100, 5000), 200);
  assert.equal(nextBackoffMs(51_200, 0), 60_000);
  assert.equal(nextBackoffMs(51_200, 10_001), 100);
});

it('restarts on failure only after a failure, and only as often as allowed', () => {
  assert.equal(restartsAfterExit(record('on-failure'), 0), false);
  assert.equal(restartsAfterExit(record('on-failure'), 1), true);
  assert.equal(restartsAfterExit(record('on-failure', { restartCount: 2 }, 3), 1), true);
  assert.equal(restartsAfterExit(record('on-failure', { restartCount: 3 }, 3), 1), false);
  assert.equal(restartsAfterExit(record('no'), 1), false);
});

it('brings back with a new daemon what nobody stopped, and always what is always to run', () => {
  assert.equal(restartsWithDaemon(record('always', { stoppedByUser: true })), true);
  assert.equal(restartsWithDaemon(record('unless-stopped', { stoppedByUser: true })), false);
  assert.equal(restartsWithDaemon(record('unless-stopped')), true);
  assert.equal(restartsWithDaemon(record('on-failure', { exitCode: 255 })), true);
  assert.equal(restartsWithDaemon(record('on-failure', { exitCode: 137, stoppedByUser: true })), false);
  assert.equal(restartsWithDaemon(record('always', { status: 'created' })), false);
});

it('leaves down what somebody stopped, but for always', () => {
  assert.equal(staysStopped(record('always', { stoppedByUser: true })), false);
  assert.equal(staysStopped(record('unless-stopped', { stoppedByUser: true })), true);
  assert.equal(staysStopped(record('no')), false);
});
