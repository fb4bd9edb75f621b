import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileFileMatch, IgnoreMatcher, readIgnoreFile } from './index.ts';

test('a .dockerignore is cleaned line by line', () => {
  assert.deepEqual(readIgnoreFile('\uFEFF# comment\n\n /a/ \n!/b/../c\n./d/\n#x\n'), ['a', '!c', 'd']);
});

test('the last pattern that matches a path or its parents decides', () => {
  for (const [patterns, path, excluded] of [
    [['*.md'], 'a.md', true],
    [['*.md'], 'd/a.md', false],
    [['**/*.md'], 'd/e/a.md', true],
    [['**/*.md'], 'a.md', true],
    [['d'], 'd/e/f', true],
    [['d/**'], 'd/e', true],
    [['d/**'], 'd', false],
    [['*', '!keep'], 'keep', false],
    [['*', '!keep'], 'other', true],
    [['d', '!d/keep'], 'd/keep', false],
    [['d', '!d/keep'], 'd/x', true],
    [['*.md', '!README*.md', 'README-secret.md'], 'README-secret.md', true],
    [['**/[._]*.s[a-w][a-z]'], 'x/.a.swp', true],
    [['**/[._]*.s[a-w][a-z]'], 'x/.a.sxp', false],
    [['a?c'], 'abc', true],
    [['a?c'], 'a/c', false],
    [['**'], 'x/y', true],
    [['a\\*b'], 'a*b', true],
    [['.git'], '.gitignore', false],
    [['d/*/f'], 'd/e/f', true],
  ] as const)
    assert.equal(new IgnoreMatcher(patterns).excludes(path), excluded, `${patterns.join(' ')} on ${path}`);
});

test('a pattern that is only an exclamation mark is refused', () => {
  assert.throws(() => new IgnoreMatcher(['!']), /illegal exclusion pattern/);
});

test('filepath.Match patterns match as in Go', () => {
  // Go's path/filepath/match_test.go.
  for (const [pattern, name, matches] of [
    ['abc', 'abc', true],
    ['*', 'abc', true],
    ['*c', 'abc', true],
    ['a*', 'a', true],
    ['a*', 'ab/c', false],
    ['a*/b', 'abc/b', true],
    ['a*/b', 'a/c/b', false],
    ['a*b*c*d*e*/f', 'axbxcxdxe/f', true],
    ['a*b?c*x', 'abxbbxdbxebxczzx', true],
    ['a*b?c*x', 'abxbbxdbxebxczzy', false],
    ['ab[c]', 'abc', true],
    ['ab[b-d]', 'abc', true],
    ['ab[e-g]', 'abc', false],
    ['ab[^c]', 'abc', false],
    ['ab[^b-d]', 'abc', false],
    ['ab[^e-g]', 'abc', true],
    ['a\\*b', 'a*b', true],
    ['a\\*b', 'ab', false],
    ['a?b', 'a☺b', true],
    ['a[^a]b', 'a☺b', true],
    ['[a-ζ]*', 'α', true],
    ['*[a-ζ]', 'A', false],
    ['a?b', 'a/b', false],
    ['a*b', 'a/b', false],
    ['[\\]a]', ']', true],
    ['[\\-]', '-', true],
    ['[x\\-]', 'x', true],
    ['[x\\-]', 'z', false],
    ['*x', 'xxx', true],
  ] as const)
    assert.equal(compileFileMatch(pattern).test(name), matches, `${pattern} on ${name}`);
  for (const pattern of ['[]a]', '[-]', '[x-]', '[-x]', '[', '[^', '[^bc', 'a[', '\\'])
    assert.throws(() => compileFileMatch(pattern), /syntax error in pattern/, pattern);
});

test('an excluded directory is walked only if an exception may be inside', () => {
  const matcher = (text: string) => new IgnoreMatcher(readIgnoreFile(text));
  assert.equal(matcher('a\n!a/b/c').mayHoldExceptions('a'), true);
  assert.equal(matcher('a\n!**/c').mayHoldExceptions('a'), true);
  assert.equal(matcher('a\n!z').mayHoldExceptions('a'), false);
});
