import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseIgnore } from './ignore.ts';

test('the last matching line decides, and a directory covers what is in it', () => {
  const rules = parseIgnore(
    '# comment\n**/*.tmp\n/build/\n!build/keep.txt\n**/[._]*.s[a-w][a-z]\n.git\n*.md\n!README*.md\n',
  );
  const ignored = ['a.tmp', 'x/y/b.tmp', 'build', 'build/x', '.git/config', 'd/.a.swp', 'CHANGES.md'];
  const kept = ['a.txt', 'build/keep.txt', 'x/build', 'README-en.md', 'docs/x.md'];
  for (const path of ignored) assert.equal(rules.ignores(path), true, path);
  for (const path of kept) assert.equal(rules.ignores(path), false, path);
});

test('an ignored directory is walked only if an exception may be inside', () => {
  assert.equal(parseIgnore('a\n!a/b/c').mayHoldExceptions('a'), true);
  assert.equal(parseIgnore('a\n!z').mayHoldExceptions('a'), false);
});
