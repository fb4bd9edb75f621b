import assert from 'node:assert/strict';
import { test } from 'node:test';
import { contains, formatAddress, formatPrefix, networkOf, overlaps, parseAddress, parsePrefix } from './address.ts';

test('addresses are read and written in canonical form', () => {
  for (const [given, expected] of [
    ['0.0.0.0', '0.0.0.0'],
    ['255.255.255.255', '255.255.255.255'],
    ['::', '::'],
    ['::1', '::1'],
    ['2001:DB8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['fe80::', 'fe80::'],
    ['::ffff:10.0.0.1', '10.0.0.1'],
    ['64:ff9b::192.0.2.1', '64:ff9b::c000:201'],
  ] as const)
    assert.equal(formatAddress(parseAddress(given)!), expected, given);
});

test('what is no address or block is refused', () => {
  for (const text of ['', '1.2.3', '1.2.3.256', ':::', 'fe80::1%eth0', 'host', '01.2.3.4'])
    assert.equal(parseAddress(text), undefined, text);
  for (const text of ['10.0.0.0', '10.0.0.0/33', '10.0.0.0/-1', '10.0.0.0/', '::/129', '10.0.0.0/a'])
    assert.equal(parsePrefix(text), undefined, text);
});

test('blocks contain, overlap and are cut to their network', () => {
  const block = parsePrefix('172.17.5.9/16')!;
  assert.equal(formatPrefix(networkOf(block)), '172.17.0.0/16');
  assert.ok(contains(block, parseAddress('172.17.255.255')!));
  assert.ok(!contains(block, parseAddress('172.18.0.0')!));
  assert.ok(!contains(block, parseAddress('::1')!));
  assert.ok(overlaps(block, parsePrefix('172.16.0.0/12')!));
  assert.ok(!overlaps(block, parsePrefix('172.18.0.0/16')!));
});
