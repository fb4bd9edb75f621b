import { gatewayOf } from './answers.ts';
import type { StoredEndpoint, StoredNetwork, StoredSandbox } from './store.ts';

/**
 * The endpoints that give a container its IPv4 and IPv6 default routes and its published ports: the highest priority wins; then,
 * as libnetwork's Endpoint.Less, the network's name in alphabetical order.
 */
export function gatewayEndpoints(
  sandbox: StoredSandbox,
  networkOf: (id: string) => StoredNetwork | undefined,
): Record<4 | 6, StoredEndpoint | undefined> {
  const sorted = sandbox.endpoints
    .flatMap((endpoint) => {
      const network = networkOf(endpoint.networkId);
      return network === undefined ? [] : [{ endpoint, network }];
    })
    .sort(
      (a, b) =>
        b.endpoint.gwPriority - a.endpoint.gwPriority ||
        (a.network.name < b.network.name ? -1 : a.network.name > b.network.name ? 1 : 0),
    );
  const first = (family: 4 | 6) =>
    sorted.find(
      ({ endpoint, network }) =>
        gatewayOf(network, endpoint, family) !== '' || offersLinkRoute(network, endpoint, family),
    )?.endpoint;
  return { 4: first(4), 6: first(6) };
}

/** ipvlan's layer 3 modes have no gateway: everything goes straight onto the link. */
export function offersLinkRoute(network: StoredNetwork, endpoint: StoredEndpoint, family: 4 | 6): boolean {
  const has = (family === 4 ? endpoint.ipv4 : endpoint.ipv6) !== '';
  return has && !network.internal && network.driver === 'ipvlan' && /^l3s?$/.test(network.options.ipvlan_mode ?? 'l2');
}
