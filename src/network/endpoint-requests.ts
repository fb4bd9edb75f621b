import { invalid } from '../common/index.ts';
import { contains, parseAddress, parsePrefix } from './address.ts';
import { endpointSysctlItems, parseEndpointSysctl } from './endpoint-sysctls.ts';
import type { StoredNetwork } from './store.ts';
import type { EndpointRequest } from './types.ts';

const MAC = /^([0-9a-f]{2}[:-]){5}[0-9a-f]{2}$/i;

/** What is wrong with one request, in moby's words (daemon/container_operations.go validateEndpointSettings); empty if nothing. */
function faultsOf({ settings }: EndpointRequest, network: StoredNetwork): string[] {
  const faults: string[] = [];
  const userDefined = network.driver !== 'host' && network.driver !== 'null' && network.name !== 'bridge';
  const config = settings.IPAMConfig;
  const asked = [config?.IPv4Address, config?.IPv6Address].filter(
    (text): text is string => text !== undefined && text !== '',
  );
  if (asked.length > 0 && !userDefined)
    faults.push('user specified IP address is supported on user defined networks only');
  if ((settings.Aliases ?? []).length > 0 && !userDefined)
    faults.push('network-scoped alias is supported only for containers in user defined networks');
  for (const [family, text] of [
    [4, config?.IPv4Address],
    [6, config?.IPv6Address],
  ] as const) {
    if (text === undefined || text === '') continue;
    const parsed = parseAddress(text);
    const address = parsed?.family === family ? parsed : undefined;
    if (address === undefined) faults.push(`invalid IPv${family} address: ${text}`);
    const pools = network.pools.filter((pool) => parsePrefix(pool.subnet)!.family === family);
    const idle = (network.idlePools ?? []).map(({ Subnet = '' }) => parsePrefix(Subnet)!);
    const subnets = [
      ...pools.map((pool) => parsePrefix(pool.subnet)!),
      ...idle.filter((subnet) => subnet.family === family),
    ];
    if (network.name !== 'bridge' && !pools.some((pool) => pool.configured) && subnets.length === pools.length)
      faults.push(
        'user specified IP address is supported only when connecting to networks with user configured subnets',
      );
    else if (address === undefined || !subnets.some((subnet) => contains(subnet, address)))
      faults.push(`no configured subnet or ip-range contain the IP address ${text}`);
  }
  for (const text of config?.LinkLocalIPs ?? [])
    if (parseAddress(text) === undefined) faults.push(`invalid link-local IP address: ${text}`);
  for (const item of endpointSysctlItems(settings.DriverOpts))
    if (parseEndpointSysctl(item) === undefined)
      faults.push(
        `unrecognised network interface sysctl '${item}'; represent 'net.X.Y.ethN.Z=V' as 'net.X.Y.IFNAME.Z=V', 'X' must be 'ipv4', 'ipv6' or 'mpls'`,
      );
  return faults;
}

/** One fault alone, several with bullets (moby internal/multierror). */
export const listed = (faults: readonly string[]): string =>
  faults.length === 1 ? faults[0]! : faults.map((fault) => `* ${fault}`).join('\n');

/** Throws `invalid endpoint settings` with all faults; a bad MAC address is a fault of its own. */
export function checkEndpointRequest(request: EndpointRequest, network: StoredNetwork): void {
  const mac = request.settings.MacAddress ?? '';
  if (mac !== '' && !MAC.test(mac)) throw invalid(`invalid MAC address ${mac}`);
  const faults = faultsOf(request, network);
  if (faults.length === 0) return;
  throw invalid(`invalid endpoint settings:\n${listed(faults)}`);
}
