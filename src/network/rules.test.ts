import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tableText } from './rules.ts';

test('protocols are named by words of nft alone, not by those of /etc/protocols, which a small system lacks', () => {
  const text = tableText({ name: 'gantry-test', relayPort: 1, respectHostFirewall: true });
  const names = new Set([...text.matchAll(/l4proto (\w[\w-]*)/g)].map(([, name]) => name));
  assert.ok(names.has('tcp'));
  assert.deepEqual(
    [...names].filter((name) => !['tcp', 'udp', 'sctp', 'icmp', 'icmpv6'].includes(name ?? '')),
    [],
  );
});
