import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LineSplitter } from './lines.ts';

test('lines are whole wherever the bytes are cut, also within a character', () => {
  const bytes = Buffer.from('grün\n\n世界\nrest');
  for (let cut = 0; cut <= bytes.length; cut++) {
    const lines = new LineSplitter();
    const seen = [...lines.feed(bytes.subarray(0, cut)), ...lines.feed(bytes.subarray(cut)), ...lines.end()];
    assert.deepEqual(seen, ['grün', '', '世界', 'rest'], `cut at ${cut}`);
  }
  assert.deepEqual(new LineSplitter().end(), []);
});

test('a line without an end is not kept for ever', () => {
  const lines = new LineSplitter();
  assert.deepEqual(lines.feed(Buffer.alloc(70_000, 'x')), ['x'.repeat(70_000)]);
  assert.deepEqual(lines.feed(Buffer.from('y\n')), ['y']);
});
