import { parseAddress } from './address.ts';
import type { Protocol } from './host-ports.ts';
import type { PublishedRange } from './store.ts';

/** Published ports of one container as the relay needs them. */
export interface Publication {
  containerId: string;
  ranges: PublishedRange[];
  /** The container's addresses; '' if it has none. */
  ipv4: string;
  ipv6: string;
  /** Ports to listen on themselves: UDP that rules cannot lead, or everything under --respect-host-firewall. */
  listen: { proto: 'tcp' | 'udp'; hostIp: string; hostPort: number }[];
}

export interface Target {
  address: string;
  port: number;
}

/** Where a connection to `ip:port` of the machine goes, or undefined if it is not published. */
export function targetOf(
  publications: Iterable<Publication>,
  proto: Protocol,
  ip: string,
  port: number,
): Target | undefined {
  const asked = parseAddress(ip);
  if (asked === undefined) return undefined;
  let general: Target | undefined;
  for (const publication of publications)
    for (const range of publication.ranges) {
      if (range.proto !== proto || port < range.hostPort || port >= range.hostPort + range.count) continue;
      const bound = parseAddress(range.hostIp);
      if (bound === undefined || bound.family !== asked.family) continue;
      const address =
        asked.family === 6 && publication.ipv6 !== '' ? publication.ipv6 : publication.ipv4 || publication.ipv6;
      if (address === '') continue;
      const target = { address, port: range.containerPort + (port - range.hostPort) };
      if (bound.value === asked.value) return target;
      if (bound.value === 0n) general ??= target;
    }
  return general;
}

/** Past this number of ports of one container the relay opens no sockets of its own: a wide range must cost nothing. */
const LISTENS_AT_MOST = 64;

/** Datagrams to these may be to ::1, which rules cannot lead anywhere. */
const hearsLoopback = (hostIp: string): boolean => hostIp === '::' || hostIp === '::1';

/** True if the companion, and no socket of the daemon, holds the port: rules do not lead there. */
export const relayHolds = (
  range: Pick<PublishedRange, 'proto' | 'hostIp'>,
  hasIpv6: boolean,
  respectHostFirewall: boolean,
): boolean =>
  range.proto !== 'sctp' &&
  (respectHostFirewall ||
    (range.proto === 'udp' && range.hostIp.includes(':') && (!hasIpv6 || hearsLoopback(range.hostIp))));

export function relayListens(
  ranges: readonly PublishedRange[],
  hasIpv6: boolean,
  respectHostFirewall: boolean,
): Publication['listen'] {
  const listens: Publication['listen'] = [];
  const most = respectHostFirewall ? Number.POSITIVE_INFINITY : LISTENS_AT_MOST;
  for (const range of ranges) {
    if (range.proto === 'sctp' || !relayHolds(range, hasIpv6, respectHostFirewall)) continue;
    for (let offset = 0; offset < range.count && listens.length < most; offset++)
      listens.push({ proto: range.proto, hostIp: range.hostIp, hostPort: range.hostPort + offset });
  }
  return listens;
}
