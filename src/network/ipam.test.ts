import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatAddress, formatPrefix, parseAddress, parsePrefix } from './address.ts';
import { AddressPool, chooseSubnet, DEFAULT_SPACES, planPool, poolFaults } from './ipam.ts';

const blocks = (...texts: string[]) => texts.map((text) => parsePrefix(text)!);
const pool = (body: Partial<ConstructorParameters<typeof AddressPool>[0]>) =>
  new AddressPool({ subnet: '10.0.0.0/29', aux: {}, configured: true, ...body });
const request = (body: {
  Subnet?: string;
  IPRange?: string;
  Gateway?: string;
  AuxiliaryAddresses?: Record<string, string>;
}) => ({
  Subnet: body.Subnet,
  IPRange: body.IPRange,
  Gateway: body.Gateway,
  AuxiliaryAddresses: body.AuxiliaryAddresses,
});

test('the first default subnet that overlaps nothing is chosen', () => {
  const choose = (...taken: string[]) => formatPrefix(chooseSubnet(4, DEFAULT_SPACES, blocks(...taken)));
  assert.equal(choose(), '172.17.0.0/16');
  assert.equal(choose('172.17.3.0/24', '172.18.0.0/15'), '172.20.0.0/16');
  assert.equal(choose('172.16.0.0/12'), '192.168.0.0/20');
  assert.equal(choose('172.16.0.0/12', '192.168.17.0/24', '192.168.0.0/28'), '192.168.32.0/20');
});

test('pools that are used up are an error in Docker’s words', () => {
  assert.throws(() => chooseSubnet(4, [{ base: '10.9.0.0/24', size: 25 }], blocks('10.9.0.0/24')), {
    message: 'all predefined address pools have been fully subnetted',
  });
});

test('addresses are given in order, the lowest free one first, and never the ends, the gateway or an auxiliary one', () => {
  const addresses = pool({ gateway: '10.0.0.1', aux: { router: '10.0.0.3' } });
  const next = () => {
    const address = addresses.next();
    return address && formatAddress(address);
  };
  assert.deepEqual(
    [next(), next(), next(), next(), next()],
    ['10.0.0.2', '10.0.0.4', '10.0.0.5', '10.0.0.6', undefined],
  );
  addresses.release(parseAddress('10.0.0.4')!);
  assert.ok(addresses.isFree(parseAddress('10.0.0.4')!));
  assert.equal(next(), '10.0.0.4');
});

test('an ip-range limits what is given, not what may be asked for', () => {
  const addresses = pool({ subnet: '10.0.0.0/24', ipRange: '10.0.0.8/31', gateway: '10.0.0.1' });
  assert.deepEqual(
    [addresses.next(), addresses.next(), addresses.next()].map((item) => item && formatAddress(item)),
    ['10.0.0.8', '10.0.0.9', undefined],
  );
  assert.ok(addresses.isFree(parseAddress('10.0.0.77')!));
});

test('a /31 has two addresses, a /64 more than could be counted', () => {
  const pair = pool({ subnet: '10.0.0.0/31' });
  assert.deepEqual([pair.next()?.value, pair.next()?.value, pair.next()], [0x0a000000n, 0x0a000001n, undefined]);
  assert.equal(formatAddress(pool({ subnet: 'fd00::/64', gateway: 'fd00::1' }).next()!), 'fd00::2');
});

test('pools that make no sense are refused in Docker’s words', () => {
  for (const [body, words] of [
    [{ Subnet: '10.0.0.0/33' }, 'invalid subnet 10.0.0.0/33: invalid CIDR block notation'],
    [{ Subnet: '10.0.0.5/24' }, 'invalid subnet 10.0.0.5/24: it should be 10.0.0.0/24'],
    [{ Subnet: '10.0.0.0/24', Gateway: 'x' }, 'invalid gateway x: invalid address'],
  ] as const)
    assert.deepEqual(poolFaults([request(body)], false), [words]);
  assert.deepEqual(
    poolFaults([request({ Subnet: '10.0.0.0/24', IPRange: '10.0.0.0/25', Gateway: '10.0.0.1' })], false),
    [],
  );
});

test('a gateway nobody named is the first free address, and inspect does not show it', () => {
  const plan = planPool(request({ Subnet: '10.5.0.0/24', AuxiliaryAddresses: { a: '10.5.0.1' } }), {
    gatewayNeeded: true,
    taken: [],
  });
  assert.equal(plan.gateway, '10.5.0.2');
  assert.equal(plan.gatewayHidden, true);
  assert.throws(
    () => planPool(request({ Subnet: '10.5.0.0/24' }), { gatewayNeeded: true, taken: blocks('10.0.0.0/8') }),
    {
      message: 'invalid pool request: Pool overlaps with other one on this address space',
    },
  );
});
