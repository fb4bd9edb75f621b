import { createHash } from 'node:crypto';
import { invalid } from '../common/index.ts';
import { inNetworkNamespace } from '../sys/index.ts';
import { type Address, formatAddress, parseAddress, parsePrefix } from './address.ts';
import { gatewayOf } from './answers.ts';
import { mtuOf } from './bridges.ts';
import { endpointSysctlItems, parseEndpointSysctl } from './endpoint-sysctls.ts';
import { offersLinkRoute } from './gateway-choice.ts';
import { type Links, withNetnsFd } from './links.ts';
import type { StoredEndpoint, StoredNetwork } from './store.ts';
import { ensureSysctl, writeSysctl } from './sysctls.ts';
import { createVlanSlave } from './vlan-drivers.ts';

/** Interfaces, addresses and routes of one container. Synchronous; the callers put things back when a step throws. */

/** A name that Linux gives an interface (net/core/dev.c dev_valid_name). */
export const isInterfaceName = (text: string): boolean => text.length <= 15 && /^[^\s/:]+$/.test(text);

/** The host's end of an endpoint's veth pair: derived, so that a half-made one is found again. */
export const hostInterfaceName = (endpointId: string): string =>
  `veth${createHash('sha1').update(endpointId).digest('hex').slice(0, 7)}`;

/** Loopback in a fresh namespace. */
export function raiseLoopback(inside: Links): void {
  inside.setUp(1);
}

/** Makes an endpoint's interface in the namespace, with its addresses. Returns nothing; the default route is set apart. */
export function plugEndpoint(
  host: Links,
  inside: Links,
  netnsPath: string,
  endpoint: StoredEndpoint,
  network: StoredNetwork,
): void {
  const mtu = mtuOf(network);
  const inner = { name: endpoint.ifname, mac: endpoint.mac, mtu };
  if (network.driver === 'bridge') {
    const bridge = host.find(network.link);
    if (bridge === undefined) throw invalid(`bridge ${network.link} of network ${network.name} does not exist`);
    withNetnsFd(netnsPath, (fd) =>
      host.createVeth({ name: endpoint.hostIfname, bridge: bridge.index, mtu }, inner, fd),
    );
  } else withNetnsFd(netnsPath, (fd) => createVlanSlave(host, network, inner, fd));
  const link = inside.find(endpoint.ifname)!;
  inNetworkNamespace(netnsPath, () => setInterfaceSysctls(endpoint, network));
  for (const text of [endpoint.ipv4, endpoint.ipv6]) {
    const address = text === '' ? undefined : parsePrefix(text);
    if (address !== undefined) inside.addAddress(link.index, address);
  }
  for (const text of endpoint.ipamConfig?.LinkLocalIPs ?? []) {
    const address = parseAddress(text);
    if (address !== undefined) inside.addAddress(link.index, { ...address, length: address.family === 4 ? 16 : 64 });
  }
  inside.setUp(link.index);
  if (endpoint.mac === '') endpoint.mac = link.mac;
}

function setInterfaceSysctls(endpoint: StoredEndpoint, network: StoredNetwork): void {
  const name = endpoint.ifname;
  if (endpoint.ipv6 === '') ensureSysctl(`net/ipv6/conf/${name}/disable_ipv6`, '1');
  else {
    ensureSysctl(`net/ipv6/conf/${name}/disable_ipv6`, '0');
    // Addresses and routes come from here only; a router's advertisements are for macvlan and ipvlan without a gateway of ours.
    if (network.driver === 'bridge') ensureSysctl(`net/ipv6/conf/${name}/accept_ra`, '0');
  }
  for (const item of endpointSysctlItems(endpoint.driverOpts)) {
    const [path, value] = parseEndpointSysctl(item) ?? [];
    if (path !== undefined && value !== undefined) writeSysctl(path.replace('IFNAME', name), value);
  }
}

/** Points the default routes at these endpoints, and away from where they were. */
export function setDefaultRoutes(
  inside: Links,
  chosen: Record<4 | 6, { endpoint: StoredEndpoint; network: StoredNetwork } | undefined>,
): void {
  for (const family of [4, 6] as const) {
    const current = inside
      .routes()
      .filter((route) => route.destination.family === family && route.destination.length === 0 && route.index !== 1);
    const choice = chosen[family];
    if (choice === undefined) {
      for (const { index, gateway } of current) inside.deleteRoute({ index, family, gateway });
      continue;
    }
    const link = inside.find(choice.endpoint.ifname);
    if (link === undefined) continue;
    const text = gatewayOf(choice.network, choice.endpoint, family);
    const gateway = offersLinkRoute(choice.network, choice.endpoint, family) ? undefined : parseAddress(text);
    const same = (route: { index: number; gateway: Address | undefined }) =>
      route.index === link.index &&
      (route.gateway && formatAddress(route.gateway)) === (gateway && formatAddress(gateway));
    for (const { index, gateway: old } of current.filter((route) => !same(route)))
      inside.deleteRoute({ index, family, gateway: old });
    if (!current.some(same)) inside.addRoute({ index: link.index, family, gateway });
  }
}
