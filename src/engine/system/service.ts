import { basename } from 'node:path';
import type { BuildService } from '../../build/index.ts';
import { Filters, nowText } from '../../common/index.ts';
import type { ImageStore } from '../../images/index.ts';
import type { Cgroups, RuntimeChoice } from '../../runtime/index.ts';
import type { VolumeStore } from '../../volumes/index.ts';
import type { ContainerService, SystemService } from '../types.ts';
import { machine } from './machine.ts';
import { ProgramVersions } from './programs.ts';

/** What the daemon's configuration says of itself; read at each answer, because a reload changes it. */
export interface SystemFacts {
  /** Gantry's own version. */
  version: string;
  apiVersion: string;
  minApiVersion: string;
  engineId: string;
  dataRoot: string;
  debug: boolean;
  experimental: boolean;
  labels: readonly string[];
  liveRestore: boolean;
  logDriver: string;
  logDrivers: readonly string[];
  seccompProfile: string;
  registries: { insecure: readonly string[]; mirrors: readonly string[] };
  proxies: { http?: string; https?: string; none?: string };
  defaultRuntime: string;
  /** Why that one, in a few words. */
  defaultRuntimeReason: string;
  warnings: readonly string[];
}

export interface SystemParts {
  facts: () => SystemFacts;
  runtimes: ReadonlyMap<string, RuntimeChoice>;
  conmonPath: string;
  initPath: string | undefined;
  cgroups: Cgroups;
  containers: Pick<ContainerService, 'list'>;
  images: Pick<ImageStore, 'all' | 'diskUsage'>;
  volumes: Pick<VolumeStore, 'usage'>;
  build: Pick<BuildService, 'diskUsage'>;
  counts: () => { running: number; paused: number; stopped: number };
  /** Streams of events that are open. */
  listeners: () => number;
}

export function openSystem(parts: SystemParts): SystemService {
  const programs = new ProgramVersions();
  return {
    info: () => info(parts, programs),
    version: () => version(parts, programs),
    diskUsage: (types) => diskUsage(parts, types),
  };
}

const NETWORK_DRIVERS = ['bridge', 'host', 'ipvlan', 'macvlan', 'null'];
/** moby registry/config.go: the Docker Hub. */
const INDEX_SERVER = 'https://index.docker.io/v1/';

async function info(parts: SystemParts, programs: ProgramVersions): Promise<Record<string, unknown>> {
  const { cgroups, runtimes } = parts;
  const facts = parts.facts();
  const standard = runtimes.get(facts.defaultRuntime);
  const runtime = standard === undefined ? undefined : await programs.of(standard.path);
  const { running, paused, stopped } = parts.counts();
  const { limits } = cgroups;
  const system = machine.system();
  return {
    ID: facts.engineId,
    Containers: running + paused + stopped,
    ContainersRunning: running,
    ContainersPaused: paused,
    ContainersStopped: stopped,
    Images: parts.images.all().length,
    Driver: 'overlay2',
    DriverStatus: [
      ['Backing Filesystem', machine.fileSystem(facts.dataRoot)],
      ['Supports d_type', 'true'],
      ['Using metacopy', 'false'],
      ['Native Overlay Diff', 'true'],
      ['userxattr', 'false'],
    ],
    Plugins: { Volume: ['local'], Network: NETWORK_DRIVERS, Authorization: null, Log: facts.logDrivers },
    MemoryLimit: limits.has('memory'),
    SwapLimit: limits.has('swap'),
    KernelMemoryTCP: false,
    CpuCfsPeriod: limits.has('quota'),
    CpuCfsQuota: limits.has('quota'),
    CPUShares: limits.has('shares'),
    CPUSet: limits.has('cpuset'),
    PidsLimit: limits.has('pids'),
    IPv4Forwarding: machine.forwardsIpv4(),
    Debug: facts.debug,
    NFd: machine.openFiles(),
    OomKillDisable: limits.has('oom-kill'),
    NGoroutines: 0,
    SystemTime: nowText(),
    LoggingDriver: facts.logDriver,
    CgroupDriver: 'cgroupfs',
    CgroupVersion: String(cgroups.version),
    NEventsListener: parts.listeners(),
    KernelVersion: machine.kernel(),
    OperatingSystem: system.name,
    OSVersion: system.version,
    OSType: 'linux',
    Architecture: machine.unameArch(),
    IndexServerAddress: INDEX_SERVER,
    RegistryConfig: registryConfig(facts),
    NCPU: machine.cpus(),
    MemTotal: machine.memoryBytes(),
    GenericResources: null,
    DockerRootDir: facts.dataRoot,
    HttpProxy: hidden(facts.proxies.http),
    HttpsProxy: hidden(facts.proxies.https),
    NoProxy: facts.proxies.none ?? '',
    Name: machine.hostname(),
    Labels: facts.labels,
    ExperimentalBuild: facts.experimental,
    ServerVersion: facts.version,
    Runtimes: Object.fromEntries(
      [...runtimes].map(([name, { path, args }]) => [
        name,
        { path, ...(args.length === 0 ? {} : { runtimeArgs: args }) },
      ]),
    ),
    DefaultRuntime: facts.defaultRuntime,
    DefaultRuntimeReason: facts.defaultRuntimeReason,
    Swarm: {
      NodeID: '',
      NodeAddr: '',
      LocalNodeState: 'inactive',
      ControlAvailable: false,
      Error: '',
      RemoteManagers: null,
    },
    LiveRestoreEnabled: facts.liveRestore,
    Isolation: '',
    InitBinary: parts.initPath === undefined ? '' : basename(parts.initPath),
    ContainerdCommit: { ID: '' },
    RuncCommit: { ID: runtime?.commit ?? '' },
    InitCommit: { ID: '' },
    SecurityOptions: securityOptions(parts, facts),
    FirewallBackend: { Driver: 'nftables' },
    CDISpecDirs: [],
    Warnings: warnings(parts, facts),
  };
}

function securityOptions({ cgroups }: SystemParts, facts: SystemFacts): string[] {
  const options: string[] = [];
  if (machine.seccomp()) options.push(`name=seccomp,profile=${facts.seccompProfile}`);
  if (cgroups.version === 2) options.push('name=cgroupns');
  return options;
}

/** Docker's words for what the machine lacks (moby daemon/info_unix.go). */
function warnings({ cgroups }: SystemParts, facts: SystemFacts): string[] | null {
  const list = [...facts.warnings];
  const lacks = (controller: string, what: string) => {
    if (!cgroups.controllers.has(controller)) list.push(`WARNING: No ${what} support`);
  };
  lacks('memory', 'memory limit');
  lacks('cpu', 'cpu shares');
  lacks('cpuset', 'cpuset');
  lacks('pids', 'pids limit');
  if (!machine.forwardsIpv4()) list.push('WARNING: IPv4 forwarding is disabled');
  return list.length === 0 ? null : list;
}

function registryConfig({ registries }: SystemFacts): Record<string, unknown> {
  const isBlock = (entry: string) => /\/\d+$/.test(entry);
  const names = registries.insecure.filter((entry) => !isBlock(entry));
  const mirrors = registries.mirrors.map((mirror) => (mirror.endsWith('/') ? mirror : `${mirror}/`));
  return {
    IndexConfigs: {
      ...Object.fromEntries(names.map((name) => [name, { Mirrors: [], Name: name, Official: false, Secure: false }])),
      'docker.io': { Mirrors: mirrors, Name: 'docker.io', Official: true, Secure: true },
    },
    InsecureRegistryCIDRs: [...registries.insecure.filter(isBlock), '::1/128', '127.0.0.0/8'],
    Mirrors: mirrors.length === 0 ? null : mirrors,
  };
}

/** A proxy's password is not for everyone who may ask for /info. */
function hidden(proxy: string | undefined): string {
  if (proxy === undefined) return '';
  if (!URL.canParse(proxy)) return proxy;
  const url = new URL(proxy);
  if (url.username === '' && url.password === '') return proxy;
  url.username = 'xxxxx';
  url.password = 'xxxxx';
  return url.toString();
}

async function version(parts: SystemParts, programs: ProgramVersions): Promise<Record<string, unknown>> {
  const facts = parts.facts();
  const runtime = parts.runtimes.get(facts.defaultRuntime);
  const [runtimeVersion, conmon] = await Promise.all([
    runtime === undefined ? undefined : programs.of(runtime.path),
    programs.of(parts.conmonPath),
  ]);
  const common = {
    Os: 'linux',
    Arch: machine.goArch(),
    KernelVersion: machine.kernel(),
    BuildTime: '',
    GitCommit: '',
    GoVersion: `node ${process.version}`,
  };
  const component = (Name: string, given: { version: string; commit: string }) => ({
    Name,
    Version: given.version,
    Details: { GitCommit: given.commit },
  });
  return {
    Platform: { Name: 'Gantry' },
    Components: [
      {
        Name: 'Engine',
        Version: facts.version,
        Details: {
          ...common,
          ApiVersion: facts.apiVersion,
          MinAPIVersion: facts.minApiVersion,
          Experimental: String(facts.experimental),
        },
      },
      ...(runtime === undefined || runtimeVersion === undefined ? [] : [component(runtime.name, runtimeVersion)]),
      component('conmon', conmon),
    ],
    Version: facts.version,
    ApiVersion: facts.apiVersion,
    MinAPIVersion: facts.minApiVersion,
    ...common,
    ...(facts.experimental ? { Experimental: true } : {}),
  };
}

async function diskUsage(
  parts: SystemParts,
  types: Parameters<SystemService['diskUsage']>[0],
): Promise<Record<string, unknown>> {
  const [images, containers, volumes, build] = await Promise.all([
    types.has('image') ? parts.images.diskUsage() : undefined,
    types.has('container') ? parts.containers.list({ all: true, size: true, filters: new Filters() }) : undefined,
    types.has('volume') ? parts.volumes.usage() : undefined,
    types.has('build-cache') ? parts.build.diskUsage() : undefined,
  ]);
  return {
    LayersSize: images?.layersSize ?? 0,
    Images: images?.images ?? null,
    Containers: containers ?? null,
    Volumes: volumes ?? null,
    BuildCache: build ?? null,
  };
}
