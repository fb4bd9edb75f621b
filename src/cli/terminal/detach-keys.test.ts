import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DetachFilter, parseDetachKeys } from './detach-keys.ts';

test('key sequences become their bytes', () => {
  assert.deepEqual([...parseDetachKeys('ctrl-p,ctrl-q')], [16, 17]);
  assert.deepEqual([...parseDetachKeys('a,ctrl-@,ctrl-_')], [97, 0, 31]);
  assert.throws(() => parseDetachKeys('ctrl-ö'), /Unknown character/);
});

test('the sequence is found across chunks and what only looks like it is passed on', () => {
  const filter = new DetachFilter(parseDetachKeys('ctrl-p,ctrl-q'));
  assert.deepEqual(filter.feed(Buffer.from('ab\x10')), { pass: Buffer.from('ab'), detached: false });
  assert.deepEqual(filter.feed(Buffer.from('c')), { pass: Buffer.from('\x10c'), detached: false });
  assert.deepEqual(filter.feed(Buffer.from('\x10\x10\x11rest')), { pass: Buffer.from('\x10'), detached: true });
});
