import { shortId } from '../common/index.ts';
import type { EndpointSettingsAnswer, NetworkInspect } from '../wire/index.ts';
import { parsePrefix } from './address.ts';
import type { Pool } from './ipam.ts';
import type { StoredEndpoint, StoredNetwork, StoredSandbox } from './store.ts';

/** Records in the API's form. */
const split = (text: string): { address: string; length: number } => {
  const [address = '', length = '0'] = text.split('/');
  return { address, length: Number(length) };
};

const poolOf = (network: StoredNetwork, family: 4 | 6): Pool | undefined =>
  network.pools.find((pool) => parsePrefix(pool.subnet)!.family === family);

/** Where an endpoint's default route goes, or '' if the network gives none. */
export function gatewayOf(network: StoredNetwork, endpoint: StoredEndpoint, family: 4 | 6): string {
  if (network.internal || (family === 4 ? endpoint.ipv4 : endpoint.ipv6) === '') return '';
  const address = family === 4 ? endpoint.ipv4 : endpoint.ipv6;
  const pool = network.pools.find((candidate) => {
    const subnet = parsePrefix(candidate.subnet)!;
    return subnet.family === family && address.endsWith(`/${subnet.length}`) && covers(candidate, address);
  });
  const chosen = pool ?? poolOf(network, family);
  return chosen?.aux[`DefaultGatewayIPv${family}`] ?? chosen?.gateway ?? '';
}

function covers(pool: Pool, address: string): boolean {
  const subnet = parsePrefix(pool.subnet)!;
  const prefix = parsePrefix(address);
  if (prefix === undefined || prefix.family !== subnet.family) return false;
  const shift = BigInt((subnet.family === 4 ? 32 : 128) - subnet.length);
  return prefix.value >> shift === subnet.value >> shift;
}

/** Names that the embedded DNS server answers to: container name, aliases, short id, host name (moby buildEndpointDNSNames). */
export function dnsNames(network: StoredNetwork, sandbox: StoredSandbox, endpoint: StoredEndpoint): string[] | null {
  if (!hasDns(network)) return null;
  const names = [sandbox.containerName, ...(endpoint.aliases ?? []), shortId(sandbox.containerId), sandbox.hostname];
  return [...new Set(names.filter((name) => name !== ''))];
}

/** The default bridge, host and none have no name service. */
export const hasDns = (network: StoredNetwork): boolean =>
  network.driver !== 'host' && network.driver !== 'null' && network.name !== 'bridge';

export function endpointAnswer(
  network: StoredNetwork,
  sandbox: StoredSandbox,
  endpoint: StoredEndpoint,
): EndpointSettingsAnswer {
  const ipv4 = split(endpoint.ipv4);
  const ipv6 = split(endpoint.ipv6);
  return {
    IPAMConfig: endpoint.ipamConfig,
    // Links of the default bridge are the container's, not the endpoint's.
    Links: hasDns(network) ? endpoint.links : null,
    Aliases: endpoint.aliases,
    MacAddress: endpoint.mac,
    DriverOpts: endpoint.driverOpts,
    GwPriority: endpoint.gwPriority,
    NetworkID: network.id,
    EndpointID: endpoint.endpointId,
    Gateway: gatewayOf(network, endpoint, 4),
    IPAddress: ipv4.address,
    IPPrefixLen: ipv4.length,
    IPv6Gateway: gatewayOf(network, endpoint, 6),
    GlobalIPv6Address: ipv6.address,
    GlobalIPv6PrefixLen: ipv6.length,
    DNSNames: dnsNames(network, sandbox, endpoint),
  };
}

/** `GET /networks/{id}`; the list form has no members. */
export function networkAnswer(network: StoredNetwork, sandboxes: Iterable<StoredSandbox>): NetworkInspect {
  const containers: NetworkInspect['Containers'] = {};
  for (const sandbox of sandboxes)
    for (const endpoint of sandbox.endpoints)
      if (endpoint.networkId === network.id)
        containers[sandbox.containerId] = {
          Name: sandbox.containerName,
          EndpointID: endpoint.endpointId,
          MacAddress: endpoint.mac,
          IPv4Address: endpoint.ipv4,
          IPv6Address: endpoint.ipv6,
        };
  const none = network.driver === 'host' || (network.driver === 'null' && !network.configOnly);
  return {
    Name: network.name,
    Id: network.id,
    Created: network.created,
    Scope: 'local',
    Driver: network.driver,
    EnableIPv4: network.ipv4,
    EnableIPv6: network.ipv6,
    IPAM: {
      Driver: network.ipamDriver,
      Options: network.ipamOptions,
      // Docker's null, where the type of the specification has a list.
      Config: none ? (null as unknown as []) : poolAnswers(network),
    },
    Internal: network.internal,
    Attachable: network.attachable,
    Ingress: false,
    ConfigFrom: { Network: network.configFrom ?? '' },
    ConfigOnly: network.configOnly ?? false,
    Containers: containers,
    Options: network.options,
    Labels: network.labels,
  };
}

/** What was asked for comes first, then what the engine chose (moby daemon/network.go buildIPAMResources). */
function poolAnswers({ idlePools = [], pools }: StoredNetwork): NetworkInspect['IPAM']['Config'] {
  const chosen = pools.filter(({ configured }) => !configured);
  return [...idlePools, ...[...pools.filter(({ configured }) => configured), ...chosen].map(poolAnswer)];
}

function poolAnswer(pool: Pool): NetworkInspect['IPAM']['Config'][number] {
  return {
    Subnet: pool.subnet,
    ...(pool.ipRange === undefined ? {} : { IPRange: pool.ipRange }),
    ...(pool.gateway === undefined || pool.gatewayHidden ? {} : { Gateway: pool.gateway }),
    ...(Object.keys(pool.aux).length === 0 ? {} : { AuxiliaryAddresses: pool.aux }),
  };
}
