import assert from 'node:assert/strict';
import { test } from 'node:test';
import { changedMode, parseModeClauses } from './mode-change.ts';

/** What BuildKit makes of a file's mode by `COPY --chmod` (dockerd 28.5). */
const FILES: [text: string, before: number, after: number][] = [
  ['+x', 0o640, 0o751],
  ['-w', 0o640, 0o440],
  ['u+s,g+s', 0o640, 0o6640],
  ['o=g', 0o640, 0o644],
  ['-rwx', 0o640, 0],
  ['a=rX,u+w', 0o604, 0o644],
  ['a=rX,u+w', 0o755, 0o755],
  ['g=u,o=', 0o640, 0o660],
  ['u=rwx,go=u-w', 0o640, 0o755],
  ['g+w-r', 0o640, 0o620],
  ['go-=', 0o640, 0o600],
  ['=', 0o640, 0],
  ['u+ust', 0o640, 0o5640],
  ['gu+st', 0o640, 0o7640],
  ['u=rwx,u-x+X', 0o640, 0o640],
  ['+t', 0o604, 0o1604],
];

test('clauses change a mode as the reference does', () => {
  for (const [text, before, after] of FILES)
    assert.equal(changedMode(parseModeClauses(text)!, before, false).toString(8), after.toString(8), text);
  assert.equal(changedMode(parseModeClauses('u=rwX,go=rX')!, 0o600, true), 0o755);
  assert.equal(changedMode(0o4711, 0o644, false), 0o4711);
});

test('what is no clause is none', () => {
  for (const text of ['u+rw,', 'u', 'u+q', 'z+x', 'u+x,644', '', '0o644'])
    assert.equal(parseModeClauses(text), undefined, text);
});
