import type { CreateNetworkBody } from '../../../wire/index.ts';
import { toMap } from '../../run/key-values.ts';
import { checkLabel } from '../../run/labels.ts';
import { type CommandSpec, exactly, type FlagValues } from '../../spec.ts';

export const command: CommandSpec = {
  use: '[OPTIONS] NETWORK',
  examples: ['gantry network create --subnet 172.30.0.0/16 backend'],
  flags: [
    { name: 'attachable', type: 'bool', usage: 'Enable manual container attachment' },
    {
      name: 'aux-address',
      type: 'map',
      usage: 'Auxiliary IPv4 or IPv6 addresses used by Network driver (default map[])',
    },
    { name: 'config-from', type: 'string', usage: 'The network from which to copy the configuration' },
    { name: 'config-only', type: 'bool', usage: 'Create a configuration only network' },
    {
      name: 'driver',
      short: 'd',
      type: 'string',
      usage: 'Driver to manage the Network (default "bridge")',
      default: 'bridge',
    },
    { name: 'gateway', type: 'strings', usage: 'IPv4 or IPv6 Gateway for the master subnet' },
    { name: 'ingress', type: 'bool', usage: 'Create swarm routing-mesh network' },
    { name: 'internal', type: 'bool', usage: 'Restrict external access to the network' },
    { name: 'ip-range', type: 'strings', usage: 'Allocate container ip from a sub-range' },
    {
      name: 'ipam-driver',
      type: 'string',
      usage: 'IP Address Management Driver (default "default")',
      default: 'default',
    },
    { name: 'ipam-opt', type: 'map', usage: 'Set IPAM driver specific options (default map[])' },
    { name: 'ipv4', type: 'bool', usage: 'Enable or disable IPv4 address assignment (default true)', default: 'true' },
    { name: 'ipv6', type: 'bool', usage: 'Enable or disable IPv6 address assignment' },
    { name: 'opt', short: 'o', type: 'map', usage: 'Set driver specific options (default map[])' },
    { name: 'scope', type: 'string', usage: "Control the network's scope" },
    { name: 'subnet', type: 'strings', usage: 'Subnet in CIDR format that represents a network segment' },
    { name: 'label', type: 'list', usage: 'Set metadata on a network', check: checkLabel },
  ],
  args: exactly(1),
  async run({ args, flags, cli }) {
    const body: CreateNetworkBody = {
      Name: args[0]!,
      Driver: flags.text('driver') || 'bridge',
      Scope: flags.text('scope') || undefined,
      Internal: flags.bool('internal'),
      Attachable: flags.bool('attachable'),
      Ingress: flags.bool('ingress'),
      ConfigOnly: flags.bool('config-only'),
      ConfigFrom: flags.text('config-from') === '' ? undefined : { Network: flags.text('config-from') },
      IPAM: {
        Driver: flags.text('ipam-driver') || 'default',
        Config: pools(flags),
        Options: toMap(flags.list('ipam-opt')),
      },
      EnableIPv4: flags.changed('ipv4') ? flags.bool('ipv4') : undefined,
      EnableIPv6: flags.changed('ipv6') ? flags.bool('ipv6') : undefined,
      Options: toMap(flags.list('opt')),
      Labels: toMap(flags.list('label')),
    } as CreateNetworkBody;
    const client = await cli.client();
    const { Id, Warning } = await client.networks.create(body);
    if (Warning) cli.warn(`WARNING: ${Warning}\n`);
    cli.print(`${Id}\n`);
  },
};

interface Pool {
  Subnet: string;
  IPRange?: string;
  Gateway?: string;
  AuxiliaryAddresses?: Record<string, string>;
}

/** Ranges, gateways and reserved addresses go to the subnet that holds them (docker/cli network/create.go consolidateIpam). */
function pools(flags: FlagValues): Pool[] {
  const [only, ...others] = flags.list('subnet');
  const related = ['ip-range', 'gateway', 'aux-address'].some((name) => flags.list(name).length > 0);
  const count = flags.list('subnet').length;
  if (count < flags.list('ip-range').length || count < flags.list('gateway').length)
    throw new Error('every ip-range or gateway must have a corresponding subnet');
  // One subnet by itself is the daemon's to judge.
  if (only !== undefined && others.length === 0 && !related) return [{ Subnet: only }];
  const subnets = flags
    .list('subnet')
    .map((text) => ({ pool: { Subnet: text } as Pool, net: network(text, 'invalid subnet: ') }));
  for (const [index, a] of subnets.entries())
    for (const b of subnets.slice(index + 1))
      if (contains(a.net, b.net.address) || contains(b.net, a.net.address))
        throw new Error('multiple overlapping subnet configuration is not supported');
  const find = (text: string, message: string): Pool => {
    const wanted = text.includes('/') ? network(text).address : (ipv4(text) ?? ipv6(text));
    const found = wanted === undefined ? undefined : subnets.find(({ net }) => contains(net, wanted));
    if (!found) throw new Error(message);
    return found.pool;
  };
  for (const range of flags.list('ip-range')) {
    if (!range.includes('/')) throw new Error(`invalid CIDR address: ${range}`);
    const pool = find(range, `no matching subnet for range ${range}`);
    if (pool.IPRange)
      throw new Error(
        `cannot configure multiple ranges (${range}, ${pool.IPRange}) on the same subnet (${pool.Subnet})`,
      );
    pool.IPRange = range;
  }
  for (const gateway of flags.list('gateway')) {
    const pool = find(gateway, `no matching subnet for gateway ${gateway}`);
    if (pool.Gateway)
      throw new Error(
        `cannot configure multiple gateways (${gateway}, ${pool.Gateway}) for the same subnet (${pool.Subnet})`,
      );
    pool.Gateway = gateway;
  }
  for (const [name, address] of Object.entries(toMap(flags.list('aux-address')))) {
    const pool = find(address, `no matching subnet for aux-address ${address}`);
    pool.AuxiliaryAddresses = { ...pool.AuxiliaryAddresses, [name]: address };
  }
  return subnets.map(({ pool }) => pool);
}

interface Net {
  address: bigint;
  bits: number;
  width: 32 | 128;
}
function network(text: string, what = ''): Net {
  const [address = '', length] = text.split('/');
  const v6 = address.includes(':');
  const width = v6 ? 128 : 32;
  const bits = length === undefined ? width : Number(length);
  const value = v6 ? ipv6(address) : ipv4(address);
  if (value === undefined || !Number.isInteger(bits) || bits < 0 || bits > width)
    throw new Error(`${what}invalid CIDR address: ${text}`);
  return { address: value, bits, width };
}
const contains = (net: Net, address: bigint): boolean => {
  const shift = BigInt(net.width - net.bits);
  return net.address >> shift === address >> shift;
};
function ipv4(text: string): bigint | undefined {
  const parts = text.split('.').map(Number);
  if (parts.length !== 4 || parts.some((part) => !Number.isInteger(part) || part < 0 || part > 255)) return undefined;
  return parts.reduce((sum, part) => (sum << 8n) | BigInt(part), 0n);
}
function ipv6(text: string): bigint | undefined {
  const [head = '', tail] = text.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const missing = 8 - left.length - right.length;
  if (missing < 0 || (tail === undefined && missing !== 0)) return undefined;
  const parts = [...left, ...Array<string>(missing).fill('0'), ...right];
  if (parts.some((part) => !/^[\da-f]{1,4}$/i.test(part))) return undefined;
  return parts.reduce((sum, part) => (sum << 16n) | BigInt(`0x${part}`), 0n);
}
