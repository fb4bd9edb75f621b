import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rename } from './unpack.ts';

test('the first part of a name in an archive is replaced, also where it is the dot or the root', () => {
  for (const top of ['dir', '.', '']) {
    assert.equal(rename(`${top}/`, 'new'), 'new');
    assert.equal(rename(`${top}/sub/f`, 'new'), 'new/sub/f');
    assert.equal(rename(`${top}/`, '.'), undefined);
    assert.equal(rename(`${top}/sub/f`, '.'), 'sub/f');
  }
  assert.equal(rename('file', 'new'), 'new');
  assert.equal(rename('./f', undefined), 'f');
  assert.equal(rename('dir/../../../f', 'new'), 'new');
});
