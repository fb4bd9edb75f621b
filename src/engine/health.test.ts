import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { HealthState } from '../wire/index.ts';
import { judged } from './health.ts';

const state = (Status: HealthState['Status'], FailingStreak = 0): HealthState => ({ Status, FailingStreak, Log: [] });

it('a success makes healthy and ends the streak', () => {
  assert.deepEqual(judged(state('starting'), 0, undefined), state('healthy'));
  assert.deepEqual(judged(state('unhealthy', 7), 0, 3), state('healthy'));
});

it('failures make unhealthy when there are as many in a row as retries', () => {
  assert.deepEqual(judged(state('starting'), 1, 2), state('starting', 1));
  assert.deepEqual(judged(state('healthy', 1), 1, 2), state('unhealthy', 2));
  assert.deepEqual(judged(state('unhealthy', 2), 1, 2), state('unhealthy', 3));
});

it('failures in the start period do not count', () => {
  assert.deepEqual(judged(state('starting'), 1, undefined), state('starting'));
});
