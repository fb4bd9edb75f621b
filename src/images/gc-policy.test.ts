import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseGcPolicy } from './gc-policy.ts';

test('a policy of clean-up is read and its mistakes are named', () => {
  assert.deepEqual(
    parseGcPolicy({ maxUsed: '20GB', minFree: '10%', maxAge: '720h', keepLabel: 'keep', interval: '1m' }),
    {
      maxUsedBytes: 20 * 2 ** 30,
      minFreeShare: 0.1,
      maxAgeMs: 720 * 3600 * 1000,
      keepLabels: ['keep'],
      intervalMs: 60_000,
    },
  );
  assert.equal(parseGcPolicy(undefined), undefined);
  assert.equal(parseGcPolicy({ keepLabel: ['a'] }), undefined);
  for (const wrong of [
    { maxused: '1' },
    { maxAge: 'x' },
    { minFree: '200%' },
    { maxUsed: 'lots' },
    [],
    { maxAge: '-1h' },
  ])
    assert.throws(() => parseGcPolicy(wrong));
});
