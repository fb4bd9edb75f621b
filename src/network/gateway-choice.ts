import { gatewayOf } from './answers.ts';
import type { StoredEndpoint, StoredNetwork, StoredSandbox } from './store.ts';

/**
 * The endpoints that give a container its IPv4 and IPv6 default routes and its published ports: the highest priority wins; then,
 * as libnetwork, one that has both; then, as libnetwork's Endpoint.Less, the network's name in alphabetical order. (Docker prefers one
 * that has both even to a higher priority, which its source marks as a mistake.)
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
  const leads = ({ endpoint, network }: (typeof sorted)[number], family: 4 | 6) =>
    gatewayOf(network, endpoint, family) !== '' || offersLinkRoute(network, endpoint, family);
  const first = (family: 4 | 6) => sorted.find((candidate) => leads(candidate, family));
  const [four, six] = [first(4), first(6)];
  // Among equals a network that leads both ways is preferred to two that lead one way each.
  const priority = Math.max(...[four, six].map((choice) => choice?.endpoint.gwPriority ?? Number.NEGATIVE_INFINITY));
  const both = sorted.find(
    (candidate) => candidate.endpoint.gwPriority === priority && leads(candidate, 4) && leads(candidate, 6),
  );
  return { 4: (both ?? four)?.endpoint, 6: (both ?? six)?.endpoint };
}

/** ipvlan's layer 3 modes have no gateway: everything goes straight onto the link. */
export function offersLinkRoute(network: StoredNetwork, endpoint: StoredEndpoint, family: 4 | 6): boolean {
  const has = (family === 4 ? endpoint.ipv4 : endpoint.ipv6) !== '';
  return has && !network.internal && network.driver === 'ipvlan' && /^l3s?$/.test(network.options.ipvlan_mode ?? 'l2');
}
