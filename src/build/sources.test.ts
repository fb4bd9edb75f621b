import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { selectSources } from './sources.ts';

test('with --parents ** stands for any number of directories, without for one name', (t) => {
  const root = mkdtempSync(join(tmpdir(), 'gt-sources-'));
  t.after(() => rmSync(root, { recursive: true }));
  for (const directory of ['a/b/c', 'a/d']) mkdirSync(join(root, directory), { recursive: true });
  for (const file of ['f', 'a/f', 'a/b/c/f', 'a/d/g']) writeFileSync(join(root, file), '');
  symlinkSync('b', join(root, 'a/link'));
  const names = (pattern: string, deep: boolean) =>
    selectSources(pattern, { instruction: 'COPY', root, fromContext: true, deep }).map(({ kept }) => kept);
  assert.deepEqual(names('**/f', true), ['f', 'a/f', 'a/b/c/f']);
  assert.deepEqual(names('a/**/f', true), ['a/f', 'a/b/c/f']);
  assert.deepEqual(names('a/**', true), ['a/b', 'a/d', 'a/f', 'a/link']);
  assert.deepEqual(names('./a/./**/c', true), ['b/c']);
  assert.deepEqual(names('**/nothing', true), []);
  assert.deepEqual(names('**/f', false), ['a/f']);
});
