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

interface Port {
  port: number;
  proto: string;
}

/** TCP first, then by protocol and number: the first is what `ALIAS_PORT` names. */
function byPreference(a: Port, b: Port): number {
  if (a.proto === b.proto) return a.port - b.port;
  if (a.proto === 'tcp') return -1;
  if (b.proto === 'tcp') return 1;
  return a.proto < b.proto ? -1 : 1;
}

/** `DB_PORT=tcp://…`, `DB_PORT_5432_TCP…`, `DB_NAME`, `DB_ENV_…`, in Docker's order (moby daemon/links). */
export function linkEnvironment({ path, address, exposed, env }: LinkedContainer): string[] {
  const prefix = path
    .slice(path.lastIndexOf('/') + 1)
    .replaceAll('-', '_')
    .toUpperCase();
  const ports = exposed
    .map((key) => ({ port: Number(key.split('/')[0]), proto: key.split('/')[1] ?? 'tcp' }))
    .sort(byPreference);
  const nameOf = ({ port, proto }: Port) => `${prefix}_PORT_${port}_${proto.toUpperCase()}`;
  const urlOf = ({ port, proto }: Port) => `${proto}://${address}:${port}`;
  const found: string[] = [];
  if (ports[0] !== undefined) found.push(`${prefix}_PORT=${urlOf(ports[0])}`);
  for (const item of ports) {
    const name = nameOf(item);
    found.push(`${name}=${urlOf(item)}`, `${name}_ADDR=${address}`, `${name}_PORT=${item.port}`);
    found.push(`${name}_PROTO=${item.proto}`);
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
function runs(ports: readonly Port[]): [first: Port, last: Port][] {
  const all: [Port, Port][] = [];
  for (const item of ports) {
    const run = all.at(-1);
    if (run !== undefined && run[1].proto === item.proto && run[1].port + 1 === item.port) run[1] = item;
    else all.push([item, item]);
  }
  return all.filter(([first, last]) => first !== last);
}
