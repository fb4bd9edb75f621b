import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planCopy, splitCopyArg } from './paths.ts';

test('a colon separates a container from its path unless the argument is plainly local', () => {
  assert.deepEqual(splitCopyArg('web:/etc'), { container: 'web', path: '/etc' });
  assert.deepEqual(splitCopyArg('/a:b'), { path: '/a:b' });
  assert.deepEqual(splitCopyArg('./a:b'), { path: './a:b' });
  assert.deepEqual(splitCopyArg('-'), { path: '-' });
});

const dir = (path: string) => ({ path, exists: true, isDir: true });
const file = (path: string) => ({ path, exists: true, isDir: false });
const none = (path: string) => ({ path, exists: false, isDir: false });

test('copies land where cp -a would put them', () => {
  assert.deepEqual(planCopy(file('/a/f'), dir('/d')), { dir: '/d', name: 'f' });
  assert.deepEqual(planCopy(file('/a/f'), none('/d/g')), { dir: '/d', name: 'g' });
  assert.deepEqual(planCopy(file('/a/f'), file('/d/g')), { dir: '/d', name: 'g' });
  assert.deepEqual(planCopy(dir('/a/b'), dir('/d/')), { dir: '/d', name: 'b' });
  assert.deepEqual(planCopy(dir('/a/b/.'), dir('/d')), { dir: '/d', name: '.' });
  assert.deepEqual(planCopy(dir('/a/b/.'), none('/d/new')), { dir: '/d', name: 'new' });
  assert.throws(() => planCopy(dir('/a'), file('/f')), /cannot copy directory/);
  assert.throws(() => planCopy(file('/a'), none('/x/')), /no such directory/);
});
