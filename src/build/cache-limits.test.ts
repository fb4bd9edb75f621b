import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bytesToKeep } from './cache-limits.ts';

test('limits of the build cache: the disk’s need cuts, what is reserved stays', () => {
  for (const [limits, total, free, kept] of [
    [{}, 100, 50, 0],
    [{ reserved: 30 }, 100, 50, 30],
    [{ maxUsed: 80 }, 100, 50, 80],
    [{ minFree: 60 }, 100, 50, 90],
    [{ minFree: 40 }, 100, 50, 100],
    [{ maxUsed: 80, minFree: 90 }, 100, 50, 60],
    [{ reserved: 70, maxUsed: 80, minFree: 90 }, 100, 50, 70],
  ] as const)
    assert.equal(bytesToKeep(limits, total, free), kept, JSON.stringify(limits));
});
