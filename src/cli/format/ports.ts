import type { PortSummary } from '../../wire/index.ts';

const joinHostPort = (host: string, port: string | number): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;

/** The PORTS column: runs of ports are joined (docker/cli formatter.DisplayablePorts). */
export function displayPorts(ports: readonly PortSummary[] | null): string {
  const sorted = (ports ?? []).toSorted(
    (a, b) =>
      a.PrivatePort - b.PrivatePort ||
      compare(a.IP ?? '', b.IP ?? '') ||
      (a.PublicPort ?? 0) - (b.PublicPort ?? 0) ||
      compare(a.Type, b.Type),
  );
  const groups = new Map<string, { first: number; last: number }>();
  const done: string[] = [];
  const mapped: string[] = [];
  for (const port of sorted) {
    let key = port.Type;
    if (port.IP !== undefined && port.IP !== '') {
      if (port.PublicPort !== port.PrivatePort) {
        mapped.push(`${joinHostPort(port.IP, port.PublicPort ?? 0)}->${port.PrivatePort}/${port.Type}`);
        continue;
      }
      key = `${port.IP}/${port.Type}`;
    }
    const group = groups.get(key);
    if (group && port.PrivatePort === group.last + 1) {
      group.last = port.PrivatePort;
      continue;
    }
    if (group) done.push(groupText(key, group));
    groups.set(key, { first: port.PrivatePort, last: port.PrivatePort });
  }
  for (const [key, group] of groups) done.push(groupText(key, group));
  return [...done, ...mapped].join(', ');
}

function groupText(key: string, { first, last }: { first: number; last: number }): string {
  const cut = key.lastIndexOf('/');
  const range = first === last ? String(first) : `${first}-${last}`;
  return cut < 0 ? `${range}/${key}` : `${joinHostPort(key.slice(0, cut), range)}->${range}/${key.slice(cut + 1)}`;
}

const compare = (left: string, right: string): number => (left < right ? -1 : left > right ? 1 : 0);
