import assert from 'node:assert/strict';
import { test } from 'node:test';
import { barText } from './progress.ts';

test('bars are drawn as Docker draws them', () => {
  assert.equal(barText(36445, 3146570), '[>                                                  ]  36.45kB/3.147MB');
  assert.equal(barText(3146570, 3146570), '[==================================================>]  3.147MB/3.147MB');
  assert.equal(barText(2129920, 1984172), '[==================================================>]   2.13MB');
  assert.equal(barText(100, 0), '    100B');
});
