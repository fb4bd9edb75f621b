import { conflict, forbidden, internal, invalid, newId } from '../common/index.ts';
import { contains, formatAddress, formatPrefix, parseAddress, parsePrefix } from './address.ts';
import { hasDns } from './answers.ts';
import { macForAddress, randomMac } from './mac.ts';
import type { NetworkBook } from './network-book.ts';
import { hostInterfaceName, isInterfaceName } from './plumbing.ts';
import type { StoredEndpoint, StoredNetwork } from './store.ts';
import type { EndpointRequest } from './types.ts';

/** RFC 3927, RFC 4291 2.5.6. */
const LINK_LOCAL = ['169.254.0.0/16', 'fe80::/10'].map((block) => parsePrefix(block)!);

/** Gives an endpoint its addresses, MAC and names. Leases are taken in the book at once; `releaseAddresses` gives them back. */
export function planEndpoint(
  book: NetworkBook,
  network: StoredNetwork,
  request: EndpointRequest,
  ifname: string,
): StoredEndpoint {
  if (network.configOnly) throw forbidden('cannot create endpoint on configuration-only network');
  const { settings } = request;
  checkRealisable(settings);
  const endpointId = newId();
  const config = settings.IPAMConfig;
  const endpoint: StoredEndpoint = {
    networkId: network.id,
    endpointId,
    ifname,
    hostIfname: network.driver === 'bridge' ? hostInterfaceName(endpointId) : '',
    mac: '',
    ipv4: '',
    ipv6: '',
    gwPriority: settings.GwPriority ?? 0,
    ipamConfig: config === undefined ? null : pruned(config),
    requestedMac: settings.MacAddress ?? '',
    links: settings.Links ?? null,
    aliases: hasDns(network) ? (settings.Aliases ?? null) : null,
    driverOpts: settings.DriverOpts ?? null,
  };
  if (network.driver === 'host' || network.driver === 'null') return endpoint;
  try {
    endpoint.ipv4 = lease(book, network, 4, config?.IPv4Address);
    endpoint.ipv6 = lease(book, network, 6, config?.IPv6Address);
  } catch (error) {
    releaseAddresses(book, endpoint);
    throw error;
  }
  endpoint.mac = chooseMac(network, endpoint);
  return endpoint;
}

/** What Docker looks at only when an endpoint is made, not when it is asked for. */
function checkRealisable({ IPAMConfig, Links }: EndpointRequest['settings']): void {
  for (const link of Links ?? []) if (link.split(':').length > 2) throw internal(`bad format for links: ${link}`);
  for (const text of IPAMConfig?.LinkLocalIPs ?? []) {
    const address = parseAddress(text);
    if (address === undefined || !LINK_LOCAL.some((block) => contains(block, address)))
      throw invalid(`invalid link local IP address: ${text}`);
  }
}

function pruned(
  config: NonNullable<EndpointRequest['settings']['IPAMConfig']>,
): NonNullable<StoredEndpoint['ipamConfig']> {
  return {
    ...(config.IPv4Address ? { IPv4Address: config.IPv4Address } : {}),
    ...(config.IPv6Address ? { IPv6Address: config.IPv6Address } : {}),
    ...(config.LinkLocalIPs && config.LinkLocalIPs.length > 0 ? { LinkLocalIPs: config.LinkLocalIPs } : {}),
  };
}

function chooseMac(network: StoredNetwork, endpoint: StoredEndpoint): string {
  if (endpoint.requestedMac !== '') return endpoint.requestedMac.toLowerCase().replaceAll('-', ':');
  // ipvlan shares its parent's; the kernel tells it once the interface is there.
  if (network.driver === 'ipvlan') return '';
  const address = parseAddress(endpoint.ipv4.split('/')[0]!);
  return network.driver === 'bridge' && address !== undefined ? macForAddress(address) : randomMac();
}

function lease(book: NetworkBook, network: StoredNetwork, family: 4 | 6, wanted: string | undefined): string {
  const pools = book.pools(network.id).filter((pool) => pool.subnet.family === family);
  if (pools.length === 0) return '';
  if (wanted !== undefined && wanted !== '') {
    const address = parseAddress(wanted);
    const pool = address && pools.find((candidate) => candidate.contains(address));
    if (address === undefined || pool === undefined)
      throw forbidden(`no configured subnet or ip-range contain the IP address ${wanted}`);
    if (!pool.isFree(address)) throw forbidden('Address already in use');
    pool.take(address);
    return `${formatAddress(address)}/${pool.subnet.length}`;
  }
  for (const pool of pools) {
    const address = pool.next();
    if (address !== undefined) return formatPrefix({ ...address, length: pool.subnet.length });
  }
  throw internal(
    `no available IPv${family} addresses on this network's address pools: ${network.name} (${network.id})`,
  );
}

export function releaseAddresses(book: NetworkBook, endpoint: StoredEndpoint): void {
  for (const text of [endpoint.ipv4, endpoint.ipv6]) {
    const address = parseAddress(text.split('/')[0]!);
    if (address !== undefined)
      book
        .pools(endpoint.networkId)
        .find((pool) => pool.contains(address))
        ?.release(address);
  }
}

/** The first of eth0, eth1 … that no endpoint has. A network may name another prefix, an endpoint a whole name. */
export function chooseIfname(taken: readonly string[], network: StoredNetwork, request: EndpointRequest): string {
  const named = request.settings.DriverOpts?.['com.docker.network.endpoint.ifname'];
  if (named !== undefined && named !== '') {
    if (!isInterfaceName(named)) throw invalid(`invalid interface name: ${named}`);
    if (taken.includes(named)) throw conflict(`interface name ${named} is already in use`);
    return named;
  }
  const prefix = network.options['com.docker.network.container_iface_prefix'] ?? 'eth';
  for (let index = 0; ; index++) if (!taken.includes(`${prefix}${index}`)) return `${prefix}${index}`;
}
