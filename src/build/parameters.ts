import { z } from 'zod';
import { invalid, unsupported } from '../common/index.ts';

/** `POST /build` parameters (Engine API v1.51, ImageBuild), read and checked. */
export interface BuildParameters {
  dockerfile: string;
  tags: string[];
  remote: string | undefined;
  noCache: boolean;
  /** Stages (names or numbers) that are not taken from the cache; Gantry's own. */
  noCacheFilter: string[];
  pull: boolean;
  quiet: boolean;
  /** `tellnew`, Gantry's own: says with the id whether the image was recorded by this build. */
  tellNew: boolean;
  /** `progress=steps`, Gantry's own: messages are events of steps. */
  stepEvents: boolean;
  /** `checks`, Gantry's own: `tell` what build checks warn of, or do `only` that and build nothing. */
  checks: 'tell' | 'only' | undefined;
  removeContainers: boolean;
  buildArgs: Map<string, string | undefined>;
  labels: Record<string, string>;
  target: string | undefined;
  /** All layers over the target's base become one. */
  squash: boolean;
  network: string;
  extraHosts: string[];
  cacheFrom: string[];
  /** `pullcache`, Gantry's own: images of `cachefrom` that are not here are pulled. */
  pullCache: boolean;
  shmSizeBytes: number | undefined;
  ulimits: { Name: string; Soft: number; Hard: number }[];
  /** HostConfig's names. */
  resources: Record<string, number | string>;
  cgroupParent: string | undefined;
  platform: string | undefined;
  /** The client's name for this build; its secrets are bound to it. Empty: none. */
  buildId: string;
  /** Sockets of SSH agents by id; Gantry's own. */
  agents: Map<string, string>;
}

const Ulimits = z.array(z.object({ Name: z.string(), Soft: z.number(), Hard: z.number() })).nullable();
const BuildArgs = z.record(z.string(), z.string().nullable()).nullable();
const Labels = z.record(z.string(), z.string()).nullable();
const Names = z.array(z.string()).nullable();

type Params = Readonly<Record<string, string | string[]>>;

const all = (params: Params, name: string): string[] => {
  const value = params[name];
  return (value === undefined ? [] : Array.isArray(value) ? value : [value]).filter((item) => item !== '');
};
const one = (params: Params, name: string): string | undefined => all(params, name)[0];
/** Go's httputils.BoolValue. */
const bool = (params: Params, name: string): boolean =>
  !['', '0', 'no', 'false', 'none'].includes((one(params, name) ?? '').trim().toLowerCase());

function integer(params: Params, name: string): number | undefined {
  const text = one(params, name);
  if (text === undefined) return undefined;
  if (!/^-?\d+$/.test(text)) throw invalid(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
  return Number(text);
}

function json<T>(params: Params, name: string, schema: z.ZodType<T>): T | undefined {
  const text = one(params, name);
  if (text === undefined) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw invalid(`error reading ${name}: invalid JSON`, error);
  }
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw invalid(`error reading ${name}: ${parsed.error.issues[0]?.message ?? 'invalid value'}`);
  return parsed.data;
}

/** Go's `[]string` JSON, or one name as it is. */
const names = (params: Params, name: string): string[] => {
  const text = one(params, name);
  if (text === undefined) return [];
  return text.trimStart().startsWith('[') ? (json(params, name, Names) ?? []) : all(params, name);
};

function checksOf(text: string | undefined): BuildParameters['checks'] {
  if (text === undefined || text === 'tell' || text === 'only') return text;
  throw invalid(`invalid value for checks: ${text}`);
}

export function readParameters(params: Params): BuildParameters {
  if (one(params, 'version') === '2')
    throw unsupported(
      'BuildKit sessions are not supported by this daemon: build with the classic API (DOCKER_BUILDKIT=0) or `gantry build`',
    );
  if (one(params, 'outputs') !== undefined && !['[]', 'null'].includes(one(params, 'outputs') ?? ''))
    throw unsupported('build outputs are not supported by the classic build API: save or export the image instead');
  const network = one(params, 'networkmode') ?? 'default';
  if (network.startsWith('container:')) throw invalid('network mode "container" is not supported for builds');
  const resources: Record<string, number | string> = {};
  for (const [param, field] of [
    ['memory', 'Memory'],
    ['memswap', 'MemorySwap'],
    ['cpushares', 'CpuShares'],
    ['cpuperiod', 'CpuPeriod'],
    ['cpuquota', 'CpuQuota'],
  ] as const) {
    const value = integer(params, param);
    if (value !== undefined && value !== 0) resources[field] = value;
  }
  for (const [param, field] of [
    ['cpusetcpus', 'CpusetCpus'],
    ['cpusetmems', 'CpusetMems'],
  ] as const) {
    const value = one(params, param);
    if (value !== undefined) resources[field] = value;
  }
  const shm = integer(params, 'shmsize');
  const remove = one(params, 'rm') === undefined || bool(params, 'rm') || bool(params, 'forcerm');
  return {
    dockerfile: one(params, 'dockerfile') ?? 'Dockerfile',
    tags: all(params, 't'),
    remote: one(params, 'remote'),
    noCache: bool(params, 'nocache'),
    noCacheFilter: all(params, 'nocachefilter').flatMap((text) => text.split(',')),
    pull: bool(params, 'pull'),
    quiet: bool(params, 'q'),
    tellNew: bool(params, 'tellnew'),
    stepEvents: one(params, 'progress') === 'steps',
    checks: checksOf(one(params, 'checks')),
    removeContainers: remove,
    buildArgs: new Map(
      Object.entries(json(params, 'buildargs', BuildArgs) ?? {}).map(([name, value]) => [name, value ?? undefined]),
    ),
    labels: json(params, 'labels', Labels) ?? {},
    target: one(params, 'target'),
    squash: bool(params, 'squash'),
    network: network === 'bridge' ? 'default' : network,
    extraHosts: all(params, 'extrahosts').flatMap((text) =>
      text.trimStart().startsWith('[') ? names({ extrahosts: text }, 'extrahosts') : text.split(','),
    ),
    cacheFrom: names(params, 'cachefrom'),
    pullCache: bool(params, 'pullcache'),
    shmSizeBytes: shm === undefined || shm === 0 ? undefined : shm,
    ulimits: json(params, 'ulimits', Ulimits) ?? [],
    resources,
    cgroupParent: one(params, 'cgroupparent'),
    platform: one(params, 'platform'),
    buildId: one(params, 'buildid') ?? '',
    agents: new Map(Object.entries(json(params, 'ssh', Labels) ?? {})),
  };
}
