import assert from 'node:assert/strict';
import { test } from 'node:test';
import { globMatcher } from './glob.ts';

test("globs are Go's", () => {
  const table: [string, string, boolean][] = [
    ['busy*', 'busybox', true],
    ['*', 'a/b', false],
    ['*/*', 'a/b', true],
    ['b?sy', 'busy', true],
    ['[a-c]x', 'bx', true],
    ['[^a-c]x', 'bx', false],
    ['a.b', 'axb', false],
    ['host:5000/*', 'host:5000/x', true],
    ['\\*', '*', true],
  ];
  for (const [pattern, text, matched] of table) assert.equal(globMatcher(pattern)(text), matched, `${pattern} ${text}`);
  for (const pattern of ['[', '[]', 'a\\', '[a-', '[z-a]'])
    assert.throws(() => globMatcher(pattern), { message: 'syntax error in pattern' });
});
