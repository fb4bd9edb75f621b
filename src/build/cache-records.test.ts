import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Filters } from '../common/index.ts';
import { type CacheRecord, prunable } from './cache-records.ts';

const HOUR = 3600_000;
const record = (id: string, given: Partial<CacheRecord> & { hours?: number } = {}): CacheRecord => ({
  id,
  type: 'regular',
  description: `RUN ${id}`,
  bytes: 10,
  created: new Date(0),
  used: new Date(Date.now() - (given.hours ?? 0) * HOUR),
  uses: 1,
  inUse: false,
  shared: false,
  ...given,
});
const records = [
  record('new'),
  record('old', { hours: 50 }),
  record('shared', { hours: 40, shared: true }),
  record('busy', { hours: 60, inUse: true }),
  record('context', { hours: 30, type: 'source.local' }),
];
const pruned = (filters: Record<string, string[]>, { all = false, keep = 0 } = {}) =>
  prunable(records, { all, keep, filters: new Filters(Object.entries(filters)) }).map(({ id }) => id);

test('all goes but what is used, the longest unused first', () => {
  assert.deepEqual(pruned({}), ['old', 'context', 'new']);
  assert.deepEqual(pruned({}, { all: true }), ['old', 'shared', 'context', 'new']);
});

test('so much stays as is to be kept', () => {
  assert.deepEqual(pruned({}, { keep: 35 }), ['old', 'context']);
  assert.deepEqual(pruned({}, { keep: 50 }), []);
});

test('filters', () => {
  assert.deepEqual(pruned({ until: ['35h'] }), ['old']);
  assert.deepEqual(pruned({ 'unused-for': ['24h'] }), ['old', 'context']);
  assert.deepEqual(pruned({ id: ['ol', 'ne'] }), ['old', 'new']);
  assert.deepEqual(pruned({ description: ['RUN new'] }), ['new']);
  assert.deepEqual(pruned({ type: ['source.local'] }), ['context']);
  assert.deepEqual(pruned({ type: ['exec.cachemount'] }), []);
  assert.deepEqual(pruned({ shared: ['true'] }, { all: true }), ['shared']);
  assert.deepEqual(pruned({ private: ['true'] }, { all: true }), ['old', 'context', 'new']);
  assert.deepEqual(pruned({ inuse: ['true'] }, { all: true }), []);
  assert.deepEqual(pruned({ parent: ['x'] }), []);
  assert.throws(() => pruned({ color: ['red'] }), /invalid filter 'color'/);
});
