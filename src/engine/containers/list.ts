import { type Filters, invalid } from '../../common/index.ts';
import type { ImageStore } from '../../images/index.ts';
import type { SandboxState } from '../../network/index.ts';
import type { PortSummary } from '../../wire/index.ts';
import type { Container, ContainerBook } from './book.ts';
import { networkModeOf } from './configure.ts';
import { type InspectParts, idleEndpoint, mountPoints, networkIdOf, sorted } from './inspect.ts';
import { parseLink } from './link-names.ts';
import { type ContainerPort, portOf } from './port-keys.ts';
import { statusText } from './status.ts';

const KEYS = [
  'ancestor',
  'before',
  'exited',
  'id',
  'isolation',
  'label',
  'label!',
  'name',
  'status',
  'health',
  'since',
  'volume',
  'network',
  'is-task',
  'publish',
  'expose',
];
const STATUSES = ['created', 'running', 'paused', 'restarting', 'removing', 'exited', 'dead'];

export interface ListParts extends InspectParts {
  book: ContainerBook;
  images: ImageStore;
  usage: (id: string) => Promise<{ rw: number; rootFs: number }>;
}

export interface ListOptions {
  all?: boolean;
  limit?: number;
  size?: boolean;
  filters: Filters;
}

/** `GET /containers/json`: newest first. */
export async function listContainers(options: ListOptions, parts: ListParts): Promise<Record<string, unknown>[]> {
  const { filters } = options;
  const chosen = select(options, parts);
  const links = linkNames(parts.book);
  const imageId = remembered((name) => parts.images.find(name)?.id);
  const rows = chosen.map((container) => summary(container, { links, imageId }, parts));
  if (options.size || filters.has('size'))
    await Promise.all(
      chosen.map(async (container, index) => {
        const { rw, rootFs } = await parts.usage(container.id);
        Object.assign(rows[index]!, { ...(rw > 0 ? { SizeRw: rw } : {}), SizeRootFs: rootFs });
      }),
    );
  return rows;
}

function select(options: ListOptions, parts: ListParts): Container[] {
  const { filters, limit = 0 } = options;
  filters.allow(KEYS);
  for (const status of filters.get('status'))
    if (!STATUSES.includes(status))
      throw invalid(
        `invalid filter 'status=${status}': invalid value for state (${status}): must be one of created, running, paused, restarting, removing, exited, dead`,
      );
  for (const health of filters.get('health'))
    if (!['starting', 'healthy', 'unhealthy', 'none'].includes(health))
      throw invalid(
        `invalid filter 'health=${health}': invalid value for health (${health}): must be one of none, starting, healthy, unhealthy`,
      );
  const exited = filters.get('exited').map((text) => {
    if (!/^-?\d+$/.test(text))
      throw invalid(`invalid filter 'exited=${text}': strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`);
    return Number(text);
  });
  const all = parts.book.all();
  const position = (key: 'before' | 'since') => {
    const [ref] = filters.get(key);
    return ref === undefined || ref === '' ? undefined : parts.book.get(ref).record.created;
  };
  const before = position('before');
  const since = position('since');
  const everything = options.all || limit > 0 || filters.has('status');
  const ancestors = filters.has('ancestor') ? ancestorIds(filters, parts.images) : undefined;
  const names = filters.get('name').map((pattern) => compile(pattern));
  const publish = portFilter(filters, 'publish');
  const expose = portFilter(filters, 'expose');
  const found = all.filter((container) => {
    const { record, state } = container;
    if (!everything && !container.running && state.status !== 'restarting') return false;
    if (before !== undefined && record.created >= before) return false;
    if (since !== undefined && record.created <= since) return false;
    if (filters.has('id') && !filters.get('id').some((id) => record.id.startsWith(id))) return false;
    if (names.length > 0 && !names.some((pattern) => pattern.test(record.name) || pattern.test(`/${record.name}`)))
      return false;
    if (!filters.labels(record.config.Labels ?? {})) return false;
    if (!filters.exact('status', state.status)) return false;
    if (exited.length > 0 && (state.status !== 'exited' || !exited.includes(state.exitCode))) return false;
    if (filters.bool('is-task') === true) return false;
    if (filters.has('health') && !filters.get('health').includes(parts.health(container.id)?.Status ?? 'none'))
      return false;
    if (ancestors !== undefined && !ancestors.has(record.imageId)) return false;
    if (
      filters.has('volume') &&
      !record.mounts.some(
        ({ type, source, destination }) =>
          type !== 'tmpfs' && filters.get('volume').some((wanted) => wanted === source || wanted === destination),
      )
    )
      return false;
    if (filters.has('network') && !onNetwork(container, filters.get('network'), parts)) return false;
    if (publish?.(publicPorts(container, parts)) === false) return false;
    return expose?.(exposedPorts(container)) !== false;
  });
  return limit > 0 ? found.slice(0, limit) : found;
}

const compile = (pattern: string): RegExp => {
  try {
    return new RegExp(pattern);
  } catch {
    throw invalid(`invalid filter 'name=${pattern}'`);
  }
};

function ancestorIds(filters: Filters, images: ImageStore): Set<string> {
  const ids = new Set<string>();
  for (const ref of filters.get('ancestor')) {
    const image = images.find(ref);
    if (image !== undefined) ids.add(image.id);
  }
  // Children of an ancestor count too.
  for (const { id } of images.all())
    for (let at = images.parentOf(id); at !== undefined; at = images.parentOf(at)) if (ids.has(at)) ids.add(id);
  return ids;
}

function onNetwork(container: Container, wanted: readonly string[], parts: ListParts): boolean {
  return Object.keys(container.record.endpoints).some(
    (name) => wanted.includes(name) || wanted.some((id) => id.length >= 3 && networkIdOf(name, parts).startsWith(id)),
  );
}

/** Of a filter by ports (`80`, `80-90/udp`): whether one of a container's is among them. Undefined without such a filter. */
function portFilter(
  filters: Filters,
  key: 'publish' | 'expose',
): ((ports: readonly ContainerPort[]) => boolean) | undefined {
  if (!filters.has(key)) return undefined;
  const ranges = filters.get(key).map((text) => {
    const [numbers = '', wanted = 'tcp'] = text.split('/');
    const bad = (number: string, why: string) =>
      invalid(
        `error while looking up for ${key} ${text}: strconv.ParseUint: parsing ${JSON.stringify(number)}: ${why}`,
      );
    const [from = 0, to = from] = numbers.split('-', 2).map((number) => {
      if (!/^\d+$/.test(number)) throw bad(number, 'invalid syntax');
      if (Number(number) > 65_535) throw bad(number, 'value out of range');
      return Number(number);
    });
    return { from, to, wanted };
  });
  return (ports) =>
    ports.some(({ port, protocol }) =>
      ranges.some(({ from, to, wanted }) => port >= from && port <= to && protocol === wanted),
    );
}

const publicPorts = (container: Container, parts: ListParts): ContainerPort[] =>
  Object.entries(parts.networks.sandbox(container.id)?.ports ?? {}).flatMap(([key, list]) =>
    (list ?? []).map(({ HostPort }) => ({ ...portOf(key), port: Number(HostPort) })),
  );
const exposedPorts = (container: Container): ContainerPort[] =>
  Object.keys(container.record.config.ExposedPorts ?? {}).map(portOf);

function portSummaries(ports: SandboxState['ports']): PortSummary[] {
  return Object.entries(ports).flatMap(([key, list]): PortSummary[] => {
    const { port, protocol } = portOf(key);
    const base = { PrivatePort: port, Type: protocol };
    if (list === null || list.length === 0) return [base];
    return list.map(({ HostIp, HostPort }) => ({
      IP: HostIp,
      PrivatePort: Number(port),
      // A routed port is none of the machine's.
      ...(HostPort === '' ? {} : { PublicPort: Number(HostPort) }),
      Type: protocol,
    }));
  });
}

/** What is worked out once for a whole list. */
interface Shared {
  links: ReadonlyMap<string, string[]>;
  /** The image that a name leads to now. */
  imageId: (name: string) => string | undefined;
}

function remembered<T>(work: (key: string) => T): (key: string) => T {
  const known = new Map<string, T>();
  return (key) => {
    if (!known.has(key)) known.set(key, work(key));
    return known.get(key)!;
  };
}

function summary(container: Container, { links, imageId }: Shared, parts: ListParts): Record<string, unknown> {
  const { record, state } = container;
  const asked = record.config.Image ?? '';
  const args = [...(record.config.Entrypoint ?? []), ...(record.config.Cmd ?? [])];
  const sandbox = parts.networks.sandbox(container.id);
  const quoted = args.map((arg) => (/[\s"'\\$]/.test(arg) || arg === '' ? `'${arg.replaceAll("'", "'\\''")}'` : arg));
  return {
    Id: record.id,
    Names: [`/${record.name}`, ...(links.get(record.name) ?? [])].sort(),
    Image: imageId(asked) === record.imageId ? asked : record.imageId,
    ImageID: record.imageId,
    Command: quoted.join(' '),
    Created: Math.floor(Date.parse(record.created) / 1000),
    Ports: container.running ? portSummaries(sandbox?.ports ?? {}) : [],
    Labels: sorted(record.config.Labels),
    State: state.status,
    Status: statusText(record, parts.health(container.id)?.Status),
    HostConfig: {
      NetworkMode: networkModeOf(record.host),
      ...(record.host.Annotations === undefined ? {} : { Annotations: record.host.Annotations }),
    },
    NetworkSettings: {
      Networks: Object.fromEntries(
        Object.keys(record.endpoints).map((name) => [
          name,
          // A list has not all of an endpoint, in Docker too.
          {
            ...(sandbox?.endpoints[name] ?? idleEndpoint(record, name, parts)),
            Aliases: null,
            DriverOpts: null,
            DNSNames: null,
          },
        ]),
      ),
    },
    Mounts: mountPoints(record, parts.volumePath),
  };
}

/** Names that links give containers, by the container linked to: `/web/db`. One pass for a whole list. */
function linkNames(book: ContainerBook): ReadonlyMap<string, string[]> {
  const names = new Map<string, string[]>();
  for (const { record } of book.all())
    for (const link of record.host.Links ?? []) {
      const { target, path } = parseLink(link);
      const known = names.get(target);
      if (known === undefined) names.set(target, [path]);
      else known.push(path);
    }
  return names;
}
