import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readHead, readList, readSent } from './list.ts';

const list = (...entries: unknown[]) => readList(Buffer.from(JSON.stringify(entries)));
const file = (path: string) => ['f', path, 0o644, 0, 1, 'stamp'];
const directory = (path: string) => ['d', path, 0o755, 0];
const link = (path: string, target: string) => ['l', path, 0, target];

test('files, directories and links are read, in any kind of nesting', () => {
  const entries = [directory('a'), file('a/b'), directory('a/c'), link('a/c/d', '../../etc'), file('e \u00ff')];
  assert.deepEqual(list(...entries), entries);
});

test('a list cannot lead out of its directory', () => {
  for (const entries of [
    [file('../x')],
    [file('/x')],
    [file('')],
    [file('.')],
    [file('a/b')],
    [directory('a'), file('a/../x')],
    [directory('..')],
    [directory('a'), file('a//b')],
    [directory('a/')],
    [link('a', '/etc'), file('a/passwd')],
    [file('a'), file('a/b')],
    [directory('a'), link('a', '/etc'), file('a/passwd')],
    [link('a', '/etc'), directory('a'), file('a/passwd')],
    [file('a\0b')],
    [link('a', 'b\0')],
    [file('\u0100')],
  ])
    assert.throws(() => list(...entries), { kind: 'invalid' }, JSON.stringify(entries));
});

test('what is not an entry is refused', () => {
  for (const entry of [
    null,
    'f',
    ['f', 'a'],
    ['f', 'a', 0o10000, 0, 1, ''],
    ['f', 'a', 0, 0, -1, ''],
    ['f', 'a', 0, 0.5, 1, ''],
    ['d', 1, 0, 0],
    ['p', 'a', 0, 0],
  ])
    assert.throws(() => list(entry), { kind: 'invalid' }, JSON.stringify(entry));
  assert.throws(() => readList(Buffer.from('{}')), { kind: 'invalid' });
});

test('heads are checked', () => {
  const dockerfile = { name: 'Dockerfile', text: 'FROM x' };
  assert.equal(readHead(JSON.stringify({ context: 'c', dockerfile, listBytes: 2 })).listBytes, 2);
  for (const head of ['', '1', '{}', JSON.stringify({ context: '', dockerfile, listBytes: 2 })])
    assert.throws(() => readHead(head), { kind: 'invalid' }, head);
  assert.deepEqual(readSent('{"file":3,"size":0}'), { file: 3, size: 0 });
  assert.throws(() => readSent('{"file":3,"digest":"../x"}'), { kind: 'invalid' });
});
