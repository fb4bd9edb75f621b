import assert from 'node:assert/strict';
import { it } from 'node:test';
import { exchangeMap } from './id-maps.ts';

it('exchanges two ids and leaves all others as they are', () => {
  assert.equal(exchangeMap(1000, 0), '0 1000 1\n1 1 999\n1000 0 1\n1001 1001 4294966294\n');
  assert.equal(exchangeMap(5, 6), '0 0 5\n5 6 1\n6 5 1\n7 7 4294967288\n');
  assert.equal(exchangeMap(7, 7), '0 0 7\n7 7 1\n8 8 4294967287\n');
});
