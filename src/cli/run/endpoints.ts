import type { EndpointSettings } from '../../wire/index.ts';
import type { FlagValues } from '../spec.ts';
import { type NetworkOption, parseNetwork } from './networks.ts';

const isUserDefined = (name: string): boolean =>
  !['', 'default', 'bridge', 'host', 'none'].includes(name) && !name.startsWith('container:');

/** The first `--network`; the others are further endpoints. */
export const networkMode = (flags: FlagValues): string => parseNetwork(flags.list('network')[0] ?? 'default').target;

/** Endpoint settings for each network; the flags that name no network count for the first. */
export function endpoints(flags: FlagValues): Record<string, EndpointSettings> {
  const options = flags.list('network').map(parseNetwork);
  const shared = sharedOption(flags);
  const result: Record<string, EndpointSettings> = {};
  const wanted = options.length > 0 ? options : [parseNetwork('default')];
  for (const [index, option] of wanted.entries()) {
    if (option.target === '') throw new Error('no name set for network');
    if (index === 0) addShared(option, shared, options.length > 0);
    if (!isUserDefined(option.target) && option.aliases.length > 0)
      throw new Error('network-scoped aliases are only supported for user-defined networks');
    if (Object.hasOwn(result, option.target))
      throw new Error(`network ${JSON.stringify(option.target)} is specified multiple times`);
    if (wanted.length > 1 && !isUserDefined(option.target) && option.target !== 'bridge')
      throw new Error('conflicting options: cannot attach both user-defined and non-user-defined network-modes');
    result[option.target] = settings(option);
  }
  return result;
}

type Shared = Pick<NetworkOption, 'aliases' | 'links' | 'ipv4' | 'ipv6' | 'linkLocalIps' | 'macAddress'>;
function sharedOption(flags: FlagValues): Shared {
  return {
    aliases: flags.list('network-alias'),
    links: flags.list('link'),
    ipv4: flags.text('ip') || undefined,
    ipv6: flags.text('ip6') || undefined,
    linkLocalIps: flags.list('link-local-ip'),
    macAddress: flags.text('mac-address') || undefined,
  };
}

function addShared(option: NetworkOption, shared: Shared, named: boolean): void {
  const clash = (flag: string, field: string): never => {
    throw new Error(`conflicting options: cannot specify both --${flag} and per-network ${field}`);
  };
  if (shared.aliases.length > 0 && option.aliases.length > 0) clash('network-alias', 'alias');
  if (shared.ipv4 && option.ipv4) clash('ip', 'IPv4 address');
  if (shared.ipv6 && option.ipv6) clash('ip6', 'IPv6 address');
  if (shared.macAddress && option.macAddress) clash('mac-address', 'MAC address');
  if (shared.linkLocalIps.length > 0 && option.linkLocalIps.length > 0)
    clash('link-local-ip', 'link-local IP addresses');
  option.aliases.push(...shared.aliases);
  // Links on the default network are the host configuration's alone.
  if (named && isUserDefined(option.target)) option.links.push(...shared.links);
  option.ipv4 ??= shared.ipv4;
  option.ipv6 ??= shared.ipv6;
  option.macAddress ??= shared.macAddress;
  option.linkLocalIps.push(...shared.linkLocalIps);
}

function settings(option: NetworkOption): EndpointSettings {
  const addressed = option.ipv4 !== undefined || option.ipv6 !== undefined || option.linkLocalIps.length > 0;
  return {
    IPAMConfig: addressed
      ? {
          IPv4Address: option.ipv4,
          IPv6Address: option.ipv6,
          LinkLocalIPs: option.linkLocalIps.length > 0 ? option.linkLocalIps : undefined,
        }
      : undefined,
    Links: option.links.length > 0 ? option.links : undefined,
    Aliases: option.aliases.length > 0 ? option.aliases : undefined,
    MacAddress: option.macAddress,
    DriverOpts: Object.keys(option.driverOpts).length > 0 ? option.driverOpts : undefined,
    GwPriority: option.gwPriority,
  } as EndpointSettings;
}
