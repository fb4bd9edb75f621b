import { z } from 'zod';
import { invalid } from '../common/index.ts';
import { parseGcPolicy } from '../images/index.ts';
import type { NetworkOptions } from '../network/index.ts';
import { Builder } from './builder-setting.ts';
import type { OptionValue } from './options.ts';
import { checkCidr, checkIp } from './setting-checks.ts';
import type { Settings } from './settings.ts';

/** Settings that several options make together, or that daemon.json gives as objects. */

/** How options are read, with the types that the table of options promises. */
export interface Readers {
  text(name: string): string | undefined;
  flag(name: string, otherwise?: boolean): boolean;
  list(name: string): string[];
}

const Pools = z.array(z.object({ base: z.string(), size: z.number().int().min(0).max(128) }));

export function networkOptions(
  values: ReadonlyMap<string, OptionValue>,
  { text, flag, list }: Readers,
): NetworkOptions {
  const rules = flag('iptables', true);
  if (flag('ip6tables', rules) !== rules)
    throw invalid('ip6tables must be as iptables: one table has the rules of both');
  const address = (name: string): string | undefined => {
    const ip = text(name);
    return ip === undefined ? undefined : checkIp(name, ip);
  };
  const dns = list('dns');
  for (const server of dns) checkIp('dns', server);
  const mtu = values.get('mtu') as number | undefined;
  if (mtu !== undefined && (mtu < 68 || mtu > 65535)) throw invalid(`invalid mtu: ${mtu}`);
  const options: NetworkOptions = {
    bip: checkCidr('bip', text('bip'), 4),
    bip6: checkCidr('bip6', text('bip6'), 6),
    bridge: text('bridge'),
    fixedCidr: checkCidr('fixed-cidr', text('fixed-cidr'), 4),
    fixedCidrV6: checkCidr('fixed-cidr-v6', text('fixed-cidr-v6'), 6),
    defaultGateway: address('default-gateway'),
    defaultGatewayV6: address('default-gateway-v6'),
    mtu,
    icc: flag('icc', true),
    ipv6: flag('ipv6'),
    ipForward: flag('ip-forward', true),
    ipMasq: flag('ip-masq', true),
    rules,
    ip: address('ip'),
    dns,
    dnsSearch: list('dns-search'),
    dnsOptions: list('dns-opts'),
    defaultNetworkOptions: networkDefaults(values, list),
    allowDirectRouting: flag('allow-direct-routing'),
    respectHostFirewall: flag('respect-host-firewall'),
  };
  if (options.bip !== undefined && options.bridge !== undefined)
    throw invalid('you specified -b & --bip, mutually exclusive options. Please specify only one');
  const pools = addressPools(values, list);
  if (pools !== undefined) options.defaultAddressPools = pools;
  return options;
}

function addressPools(
  values: ReadonlyMap<string, OptionValue>,
  list: Readers['list'],
): NetworkOptions['defaultAddressPools'] {
  const given = list('default-address-pool').map((text) => {
    const parts = new Map(
      text.split(',').map((part) => [part.slice(0, part.indexOf('=')), part.slice(part.indexOf('=') + 1)] as const),
    );
    const [base, size] = [parts.get('base'), Number(parts.get('size'))];
    if (base === undefined || !Number.isInteger(size))
      throw invalid(`invalid default-address-pool: ${text} (base=CIDR,size=N is needed)`);
    return { base, size };
  });
  const file = values.get('default-address-pools');
  const pools = file === undefined ? given : parse('default-address-pools', Pools, file);
  return pools.length === 0 ? undefined : pools;
}

function networkDefaults(
  values: ReadonlyMap<string, OptionValue>,
  list: Readers['list'],
): Record<string, string> | undefined {
  const file = values.get('default-network-opts');
  const byDriver =
    file === undefined
      ? {}
      : parse('default-network-opts', z.record(z.string(), z.record(z.string(), z.string())), file);
  for (const driver of Object.keys(byDriver))
    if (driver !== 'bridge') throw invalid(`default-network-opts of ${driver} are not supported: only those of bridge`);
  const options: Record<string, string> = { ...byDriver.bridge };
  for (const text of list('default-network-opt')) {
    const match = /^([^=]+)=([^=]+)=(.*)$/.exec(text);
    if (match === null || match[1] !== 'bridge')
      throw invalid(`invalid default-network-opt: ${text} (bridge=key=value is needed)`);
    options[match[2] as string] = match[3] as string;
  }
  return Object.keys(options).length === 0 ? undefined : options;
}

function parse<T>(name: string, schema: z.ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw invalid(`invalid ${[name, ...(issue?.path ?? [])].join('.')}: ${issue?.message ?? 'wrong form'}`);
}

export function proxies(values: ReadonlyMap<string, OptionValue>, text: Readers['text']): Settings['proxies'] {
  const Proxies = z.strictObject({
    'http-proxy': z.string().optional(),
    'https-proxy': z.string().optional(),
    'no-proxy': z.string().optional(),
  });
  const file = parse('proxies', Proxies, values.get('proxies') ?? {});
  return {
    http: text('http-proxy') ?? file['http-proxy'],
    https: text('https-proxy') ?? file['https-proxy'],
    none: text('no-proxy') ?? file['no-proxy'],
  };
}

export function runtimes(values: ReadonlyMap<string, OptionValue>, list: Readers['list']): Settings['runtimes'] {
  const Runtimes = z.record(
    z.string(),
    z.strictObject({ path: z.string().min(1), runtimeArgs: z.array(z.string()).nullish() }),
  );
  const file = parse('runtimes', Runtimes, values.get('runtimes') ?? {});
  const found = Object.entries(file).map(
    ([name, { path, runtimeArgs }]) => [name, { path, args: runtimeArgs ?? [] }] as const,
  );
  const given = list('add-runtime').map((text) => {
    const cut = text.indexOf('=');
    if (cut < 1 || cut === text.length - 1) throw invalid(`invalid runtime argument: ${text}`);
    return [
      text.slice(0, cut).trim().toLowerCase(),
      { path: text.slice(cut + 1).trim(), args: [] as string[] },
    ] as const;
  });
  const names = given.map(([name]) => name);
  for (const name of names)
    if (names.indexOf(name) !== names.lastIndexOf(name)) throw invalid(`runtime '${name}' was already defined`);
  return Object.fromEntries([...found, ...given]);
}

export function ulimits(
  values: ReadonlyMap<string, OptionValue>,
  list: Readers['list'],
): Settings['defaults']['ulimits'] {
  const Ulimits = z.record(
    z.string(),
    z.object({ Name: z.string().optional(), Soft: z.number().int(), Hard: z.number().int() }),
  );
  const file = parse('default-ulimits', Ulimits, values.get('default-ulimits') ?? {});
  const given = list('default-ulimit').map((text) => {
    const match = /^([a-z]+)=(-?\d+)(?::(-?\d+))?$/.exec(text);
    if (match === null) throw invalid(`invalid ulimit argument: ${text}`);
    const [soft, hard] = [Number(match[2]), Number(match[3] ?? match[2])];
    if (hard !== -1 && (soft === -1 || soft > hard))
      throw invalid(`ulimit soft limit must be less than or equal to hard limit: ${soft} > ${hard}`);
    return { Name: match[1] as string, Soft: soft, Hard: hard };
  });
  return [...Object.entries(file).map(([name, { Soft, Hard }]) => ({ Name: name, Soft, Hard })), ...given];
}

export const collection = (values: ReadonlyMap<string, OptionValue>): Settings['collection'] => ({
  build: parse('builder', Builder, values.get('builder') ?? {}),
  images: parseGcPolicy(values.get('gc')),
});
