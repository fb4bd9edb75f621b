/** What a container that is linked to another learns by its environment (moby links/links.go). */
export interface LinkedContainer {
  /** Alias within the link. */
  alias: string;
  /** Name of the container that has the link, and of the one it points to. */
  parentName: string;
  address: string;
  /** `5432/tcp` … */
  exposed: string[];
  /** The linked container's own environment. */
  env: string[];
}

const SHELL_NAMES: readonly string[] = ['PATH', 'HOME', 'HOSTNAME', 'TERM', 'USER'];

/** Lowest TCP port first, then the lowest of another protocol: what `ALIAS_PORT` names. */
function byPreference(a: string, b: string): number {
  const [portA, protoA] = a.split('/');
  const [portB, protoB] = b.split('/');
  if (protoA !== protoB) return protoA === 'tcp' ? -1 : protoB === 'tcp' ? 1 : protoA! < protoB! ? -1 : 1;
  return Number(portA) - Number(portB);
}

/** `DB_PORT=tcp://…`, `DB_PORT_5432_TCP…`, `DB_NAME`, `DB_ENV_…`, in Docker's order. */
export function linkEnvironment(link: LinkedContainer): string[] {
  const prefix = link.alias.replaceAll('-', '_').toUpperCase();
  const ports = [...link.exposed].map((key) => (key.includes('/') ? key : `${key}/tcp`)).sort(byPreference);
  const env: string[] = [];
  const first = ports[0];
  if (first !== undefined) {
    const [port, proto] = first.split('/');
    env.push(`${prefix}_PORT=${proto}://${link.address}:${port}`);
  }
  for (const key of ports) {
    const [port, proto = 'tcp'] = key.split('/');
    const name = `${prefix}_PORT_${port}_${proto.toUpperCase()}`;
    env.push(
      `${name}=${proto}://${link.address}:${port}`,
      `${name}_ADDR=${link.address}`,
      `${name}_PORT=${port}`,
      `${name}_PROTO=${proto}`,
    );
  }
  env.push(`${prefix}_NAME=/${link.parentName.replace(/^\//, '')}/${link.alias}`);
  for (const item of link.env) {
    const cut = item.indexOf('=');
    if (cut < 0 || SHELL_NAMES.includes(item.slice(0, cut))) continue;
    env.push(`${prefix}_ENV_${item}`);
  }
  return env;
}
