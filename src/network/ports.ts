import { invalid } from '../common/index.ts';
import type { PortMap } from '../wire/index.ts';
import { formatAddress, parseAddress } from './address.ts';
import type { Protocol } from './host-ports.ts';
import type { PublishedRange } from './store.ts';

/** One wish: a container port on one of these host ports. */
export interface PortWish {
  key: string;
  proto: Protocol;
  containerPort: number;
  /** The addresses that must get the same port number. */
  hostIps: string[];
  /** [0, 0] asks for an ephemeral port. */
  first: number;
  last: number;
}

const PROTOCOLS: readonly string[] = ['tcp', 'udp', 'sctp'];

export function parsePortKey(key: string): { port: number; proto: Protocol } {
  const [port = '', proto = 'tcp'] = key.split('/');
  if (!/^\d+$/.test(port) || Number(port) > 65535 || port === '0')
    throw invalid(`invalid port specification: "${port}"`);
  if (!PROTOCOLS.includes(proto.toLowerCase())) throw invalid(`invalid proto: ${proto}`);
  return { port: Number(port), proto: proto.toLowerCase() as Protocol };
}

function parseHostPort(text: string): [number, number] {
  if (text === '') return [0, 0];
  const match = /^(\d+)(?:-(\d+))?$/.exec(text);
  const first = Number(match?.[1]);
  const last = match?.[2] === undefined ? first : Number(match[2]);
  if (!match || first > 65535 || last > 65535 || last < first) throw invalid(`invalid port specification: "${text}"`);
  return [first, last];
}

/** Wishes of a port map, in its order. `defaultIp` is the network's host binding; `dual`: an unspecified address means `::` too. */
export function portWishes(ports: PortMap, options: { defaultIp: string; dual: boolean }): PortWish[] {
  const wishes: PortWish[] = [];
  for (const [key, bindings] of Object.entries(ports)) {
    const { port, proto } = parsePortKey(key);
    for (const { HostIp = '', HostPort = '' } of bindings) {
      const [first, last] = parseHostPort(HostPort);
      const given = HostIp === '' ? options.defaultIp : HostIp;
      const address = parseAddress(given.replace(/^\[|\]$/g, ''));
      if (address === undefined) throw invalid(`invalid IP address: ${HostIp}`);
      const hostIps = [formatAddress(address)];
      if (HostIp === '' && given === '0.0.0.0' && options.dual) hostIps.push('::');
      wishes.push({ key, proto, containerPort: port, hostIps, first, last });
    }
  }
  return wishes;
}

/** A wish that was met: the host port on each address. */
export interface PortGrant {
  key: string;
  proto: Protocol;
  containerPort: number;
  hostIps: string[];
  hostPort: number;
}

/** Runs of grants with equal distances, sorted; a range of ten thousand ports becomes one. */
export function compact(grants: readonly PortGrant[]): PublishedRange[] {
  const flat = grants.flatMap(({ proto, containerPort, hostIps, hostPort }) =>
    hostIps.map((hostIp) => ({ proto, hostIp, hostPort, containerPort, count: 1 })),
  );
  const order = (a: PublishedRange, b: PublishedRange) =>
    a.hostIp.localeCompare(b.hostIp) || a.proto.localeCompare(b.proto) || a.hostPort - b.hostPort;
  const runs: PublishedRange[] = [];
  for (const item of flat.sort(order)) {
    const run = runs.at(-1);
    const continues =
      run !== undefined &&
      run.hostIp === item.hostIp &&
      run.proto === item.proto &&
      run.hostPort + run.count === item.hostPort &&
      run.containerPort + run.count === item.containerPort;
    if (continues) run.count++;
    else runs.push(item);
  }
  return runs;
}
