import { type ContainerPort, portOf } from './port-keys.ts';

/** A container that another one is linked to, as the other's environment shows it. */
export interface LinkedContainer {
  /** The link's name: `/web/db`. */
  path: string;
  /** Its IPv4 address. */
  address: string;
  /** `5432/tcp` … */
  exposed: readonly string[];
  /** Its own environment. */
  env: readonly string[];
}

/** TCP first, then by protocol and number: the first is what `ALIAS_PORT` names. */
function byPreference(a: ContainerPort, b: ContainerPort): number {
  if (a.protocol === b.protocol) return a.port - b.port;
  if (a.protocol === 'tcp') return -1;
  if (b.protocol === 'tcp') return 1;
  return a.protocol < b.protocol ? -1 : 1;
}

/** `DB_PORT=tcp://…`, `DB_PORT_5432_TCP…`, `DB_NAME`, `DB_ENV_…`, in Docker's order (moby daemon/links). */
export function linkEnvironment({ path, address, exposed, env }: LinkedContainer): string[] {
  const prefix = path
    .slice(path.lastIndexOf('/') + 1)
    .replaceAll('-', '_')
    .toUpperCase();
  const ports = exposed.map(portOf).sort(byPreference);
  const nameOf = ({ port, protocol }: ContainerPort) => `${prefix}_PORT_${port}_${protocol.toUpperCase()}`;
  const urlOf = ({ port, protocol }: ContainerPort) => `${protocol}://${address}:${port}`;
  const found: string[] = [];
  if (ports[0] !== undefined) found.push(`${prefix}_PORT=${urlOf(ports[0])}`);
  for (const item of ports) {
    const name = nameOf(item);
    found.push(`${name}=${urlOf(item)}`, `${name}_ADDR=${address}`, `${name}_PORT=${item.port}`);
    found.push(`${name}_PROTO=${item.protocol}`);
  }
  for (const [first, last] of runs(ports)) {
    const name = nameOf(first);
    found.push(`${name}_START=${urlOf(first)}`, `${name}_PORT_START=${first.port}`);
    found.push(`${name}_END=${urlOf(last)}`, `${name}_PORT_END=${last.port}`);
  }
  found.push(`${prefix}_NAME=${path}`);
  for (const pair of env) if (pair.includes('=') && !/^(PATH|HOME)=/.test(pair)) found.push(`${prefix}_ENV_${pair}`);
  return found;
}

/** First and last of each run of consecutive ports of one protocol. */
function runs(ports: readonly ContainerPort[]): [first: ContainerPort, last: ContainerPort][] {
  const all: [ContainerPort, ContainerPort][] = [];
  for (const item of ports) {
    const run = all.at(-1);
    if (run !== undefined && run[1].protocol === item.protocol && run[1].port + 1 === item.port) run[1] = item;
    else all.push([item, item]);
  }
  return all.filter(([first, last]) => first !== last);
}
