import { forbidden, type Logger, messageOf } from '../common/index.ts';
import { formatAddress, type Prefix, parseAddress, parsePrefix } from './address.ts';
import type { Link, Links } from './links.ts';
import { randomMac } from './mac.ts';
import type { NetworkOptions } from './options.ts';
import { gatewayMode, isOn } from './rules.ts';
import type { StoredNetwork } from './store.ts';
import { ensureSysctl, readSysctl } from './sysctls.ts';

/** The kernel bridges of bridge networks: made, checked and removed here. */
const MTU = 'com.docker.network.driver.mtu';

export const mtuOf = (network: StoredNetwork): number | undefined => {
  const mtu = Number(network.options[MTU] ?? 0);
  return mtu > 0 ? mtu : undefined;
};

/** The machine's addresses on a bridge: each pool's gateway, unless the network is to have none. */
export function bridgeAddresses(network: StoredNetwork): Prefix[] {
  return network.pools.flatMap((pool) => {
    const subnet = parsePrefix(pool.subnet)!;
    const gateway = pool.gateway === undefined ? undefined : parseAddress(pool.gateway);
    if (gateway === undefined || gatewayMode(network, subnet.family) === 'isolated') return [];
    if (subnet.family === 4 && isOn(network.options['com.docker.network.bridge.inhibit_ipv4'])) return [];
    return [{ ...gateway, length: subnet.length }];
  });
}

/** Marks interfaces as this engine's: `ip link show` prints it, and a reconcile finds them by it. */
export const bridgeAlias = (instance: string): string => `gantry:${instance}`;

/** Makes the bridge if it is not there, and gives it its addresses and settings. Returns its link. */
export function ensureBridge(links: Links, network: StoredNetwork, instance: string, options: NetworkOptions): Link {
  const name = network.link;
  let link = links.find(name);
  if (link === undefined && network.foreignLink)
    throw forbidden(`bridge device with non default name ${name} must be created manually`);
  let made = false;
  if (link === undefined) {
    links.createBridge(name, { mac: randomMac(), mtu: mtuOf(network), alias: bridgeAlias(instance) });
    link = links.find(name)!;
    made = true;
  } else if (link.kind !== 'bridge') throw forbidden(`existing interface ${name} is not a bridge`);
  try {
    settle(links, link, network, options);
  } catch (error) {
    if (made) links.delete(name);
    throw error;
  }
  return link;
}

function settle(links: Links, link: Link, network: StoredNetwork, options: NetworkOptions): void {
  const { name, index } = link;
  ensureSysctl(`net/ipv6/conf/${name}/disable_ipv6`, network.ipv6 ? '0' : '1');
  if (network.ipv6) {
    ensureSysctl(`net/ipv6/conf/${name}/accept_ra`, '0');
    // Nobody else has a bridge's link-local address: while it was looked for, a second or two, neighbours were not asked for containers' addresses,
    // and nothing from outside came to them by IPv6.
    ensureSysctl(`net/ipv6/conf/${name}/accept_dad`, '0');
    if (options.ipForward ?? true) ensureSysctl('net/ipv6/conf/all/forwarding', '1');
  }
  // Lets the machine reach published ports by 127.0.0.1; the `guard` chain keeps containers from the machine's loopback.
  ensureSysctl(`net/ipv4/conf/${name}/route_localnet`, '1');
  if (options.ipForward ?? true) ensureSysctl('net/ipv4/ip_forward', '1');
  const wanted = bridgeAddresses(network);
  const present = links
    .addresses()
    .filter((entry) => entry.index === index)
    .map((entry) => entry.address);
  const key = (prefix: Prefix) => `${formatAddress(prefix)}/${prefix.length}`;
  for (const address of present) {
    const local = address.family === 6 && address.value >> 118n === 0x3fan;
    if (!network.foreignLink && !local && !wanted.some((other) => key(other) === key(address)))
      links.deleteAddress(index, address);
  }
  for (const address of wanted)
    if (!present.some((other) => key(other) === key(address))) links.addAddress(index, address);
  if (!link.up) links.setUp(index);
}

/** Removes a network's bridge unless it was not ours. */
export function removeBridge(links: Links, network: StoredNetwork, log: Logger): void {
  if (network.foreignLink) return;
  try {
    links.delete(network.link);
  } catch (error) {
    log.warn('could not remove bridge', { bridge: network.link, error: messageOf(error) });
  }
}

/** True where the machine speaks IPv6 at all: then ports are published on `[::]` too, as Docker. */
export const machineHasIpv6 = (): boolean => readSysctl('net/ipv6/conf/all/disable_ipv6') === '0';
