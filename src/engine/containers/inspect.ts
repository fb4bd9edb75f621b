import { shortId, ZERO_TIME } from '../../common/index.ts';
import type { NetworkService } from '../../network/index.ts';
import { MASKED_PATHS, READONLY_PATHS } from '../../runtime/index.ts';
import type {
  ContainerState,
  EndpointSettings,
  EndpointSettingsAnswer,
  HealthState,
  HostConfig,
  MountPoint,
  PortMap,
} from '../../wire/index.ts';
import type { Container } from './book.ts';
import { isUserDefined, networkModeOf } from './configure.ts';
import { cleanPath } from './mounts.ts';
import type { ContainerRecord, MountRecord } from './record.ts';

export interface InspectParts {
  networks: NetworkService;
  health: (id: string) => HealthState | undefined;
  execIds: (id: string) => string[];
  logPath: (id: string) => string;
  directory: (id: string) => string;
  volumePath: (name: string) => string;
  graph: (id: string) => { lower: string[]; upper: string; work: string; merged: string };
  networkId: (name: string) => string;
}

/** Go writes maps in the order of their keys. */
export const sorted = <T>(map: Record<string, T> = {}): Record<string, T> =>
  Object.fromEntries(Object.entries(map).sort(([a], [b]) => (a < b ? -1 : 1)));

export function stateAnswer(record: ContainerRecord, health: HealthState | undefined): ContainerState {
  const { state } = record;
  const running = state.status === 'running' || state.status === 'paused' || state.status === 'restarting';
  return {
    Status: state.status,
    Running: running,
    Paused: state.status === 'paused',
    Restarting: state.status === 'restarting',
    OOMKilled: state.oomKilled,
    Dead: state.status === 'dead',
    Pid: state.pid,
    ExitCode: state.exitCode,
    Error: state.error,
    StartedAt: state.startedAt,
    FinishedAt: state.finishedAt,
    ...(health === undefined ? {} : { Health: health }),
  };
}

function mountPoint(mount: MountRecord, volumePath: (name: string) => string): MountPoint {
  const base = { Destination: mount.destination, Mode: mount.mode, RW: mount.rw, Propagation: mount.propagation };
  if (mount.type === 'volume')
    return {
      Type: 'volume',
      Name: mount.source,
      Source: volumePath(mount.source),
      Destination: mount.destination,
      Driver: mount.driver ?? 'local',
      Mode: mount.mode,
      RW: mount.rw,
      Propagation: mount.propagation,
    };
  const { name } = mount;
  return { Type: mount.type, ...(name === undefined ? {} : { Name: name }), Source: mount.source, ...base };
}

/** The mounts that Docker tells of: all but those of `--tmpfs`, which stand in HostConfig only. */
export function mountPoints({ mounts, host }: ContainerRecord, volumePath: (name: string) => string): MountPoint[] {
  const hidden = new Set(Object.keys(host.Tmpfs ?? {}).map(cleanPath));
  return mounts
    .filter(({ type, destination }) => type !== 'tmpfs' || !hidden.has(destination))
    .map((mount) => mountPoint(mount, volumePath));
}

/** The order of moby's fields, which Docker's JSON keeps. */
const HOST_ORDER =
  'Binds ContainerIDFile LogConfig NetworkMode PortBindings RestartPolicy AutoRemove VolumeDriver VolumesFrom ConsoleSize Annotations CapAdd CapDrop CgroupnsMode Dns DnsOptions DnsSearch ExtraHosts GroupAdd IpcMode Cgroup Links OomScoreAdj PidMode Privileged PublishAllPorts ReadonlyRootfs SecurityOpt StorageOpt Tmpfs UTSMode UsernsMode ShmSize Sysctls Runtime Isolation CpuShares Memory NanoCpus CgroupParent BlkioWeight BlkioWeightDevice BlkioDeviceReadBps BlkioDeviceWriteBps BlkioDeviceReadIOps BlkioDeviceWriteIOps CpuPeriod CpuQuota CpuRealtimePeriod CpuRealtimeRuntime CpusetCpus CpusetMems Devices DeviceCgroupRules DeviceRequests MemoryReservation MemorySwap MemorySwappiness OomKillDisable PidsLimit Ulimits CpuCount CpuPercent IOMaximumIOps IOMaximumBandwidth Mounts MaskedPaths ReadonlyPaths Init HealthOnFailure'.split(
    ' ',
  );

/** Sharing the machine's processes or IPC, as being privileged, turns labels off unless the caller chose some. */
function securityOptions({ SecurityOpt, Privileged, PidMode, IpcMode }: HostConfig): string[] | null {
  const own = SecurityOpt ?? [];
  const unconfined = Privileged === true || PidMode === 'host' || IpcMode === 'host';
  if (unconfined && !own.some((option) => /^label[=:]/.test(option))) return [...own, 'label=disable'];
  return own.length > 0 ? own : null;
}

/** HostConfig with the zero values that Docker shows. */
export function hostAnswer(host: HostConfig): Record<string, unknown> {
  const numbers = [
    'CpuShares',
    'Memory',
    'NanoCpus',
    'BlkioWeight',
    'CpuPeriod',
    'CpuQuota',
    'CpuRealtimePeriod',
    'CpuRealtimeRuntime',
    'MemoryReservation',
    'MemorySwap',
    'CpuCount',
    'CpuPercent',
    'IOMaximumIOps',
    'IOMaximumBandwidth',
    'OomScoreAdj',
  ] as const;
  const lists = ['BlkioDeviceReadBps', 'BlkioDeviceWriteBps', 'BlkioDeviceReadIOps', 'BlkioDeviceWriteIOps'] as const;
  const zero = Object.fromEntries(numbers.map((key) => [key, host[key] ?? 0]));
  const privileged = host.Privileged === true;
  const answer: Record<string, unknown> = {
    Binds: host.Binds ?? null,
    ContainerIDFile: host.ContainerIDFile ?? '',
    LogConfig: { Type: host.LogConfig?.Type || 'json-file', Config: sorted(host.LogConfig?.Config) },
    NetworkMode: networkModeOf(host),
    PortBindings: host.PortBindings === undefined ? null : portBindings(host.PortBindings),
    RestartPolicy: {
      Name: host.RestartPolicy?.Name || 'no',
      MaximumRetryCount: host.RestartPolicy?.MaximumRetryCount ?? 0,
    },
    AutoRemove: host.AutoRemove ?? false,
    VolumeDriver: host.VolumeDriver ?? '',
    VolumesFrom: host.VolumesFrom ?? null,
    ConsoleSize: host.ConsoleSize ?? [0, 0],
    ...(host.Annotations === undefined ? {} : { Annotations: host.Annotations }),
    CapAdd: host.CapAdd ?? null,
    CapDrop: host.CapDrop ?? null,
    CgroupnsMode: host.CgroupnsMode ?? '',
    Dns: host.Dns ?? null,
    DnsOptions: host.DnsOptions ?? null,
    DnsSearch: host.DnsSearch ?? null,
    ExtraHosts: host.ExtraHosts ?? null,
    GroupAdd: host.GroupAdd ?? null,
    IpcMode: host.IpcMode || 'private',
    Cgroup: host.Cgroup ?? '',
    Links: host.Links?.length ? host.Links : null,
    PidMode: host.PidMode ?? '',
    Privileged: privileged,
    PublishAllPorts: host.PublishAllPorts ?? false,
    ReadonlyRootfs: host.ReadonlyRootfs ?? false,
    SecurityOpt: securityOptions(host),
    ...(host.StorageOpt === undefined ? {} : { StorageOpt: host.StorageOpt }),
    ...(host.Tmpfs === undefined ? {} : { Tmpfs: host.Tmpfs }),
    UTSMode: host.UTSMode ?? '',
    UsernsMode: host.UsernsMode ?? '',
    ShmSize: host.ShmSize || 67108864,
    ...(host.Sysctls === undefined ? {} : { Sysctls: host.Sysctls }),
    Runtime: host.Runtime ?? '',
    Isolation: host.Isolation ?? '',
    ...zero,
    CgroupParent: host.CgroupParent ?? '',
    BlkioWeightDevice: host.BlkioWeightDevice ?? null,
    ...Object.fromEntries(lists.map((key) => [key, host[key] ?? null])),
    CpusetCpus: host.CpusetCpus ?? '',
    CpusetMems: host.CpusetMems ?? '',
    Devices: host.Devices ?? null,
    DeviceCgroupRules: host.DeviceCgroupRules?.length ? host.DeviceCgroupRules : null,
    DeviceRequests: host.DeviceRequests ?? null,
    MemorySwappiness:
      host.MemorySwappiness === undefined || host.MemorySwappiness === -1 ? null : host.MemorySwappiness,
    OomKillDisable: host.OomKillDisable ?? false,
    PidsLimit: host.PidsLimit === undefined ? null : Math.max(0, host.PidsLimit),
    Ulimits: host.Ulimits ?? null,
    ...(host.Mounts === undefined ? {} : { Mounts: host.Mounts.map(withoutEmpty) }),
    ...(host.Init === undefined ? {} : { Init: host.Init }),
    ...(host.HealthOnFailure ? { HealthOnFailure: host.HealthOnFailure } : {}),
    MaskedPaths: privileged ? null : (host.MaskedPaths ?? MASKED_PATHS),
    ReadonlyPaths: privileged ? null : (host.ReadonlyPaths ?? READONLY_PATHS),
  };
  return Object.fromEntries(HOST_ORDER.flatMap((key) => (Object.hasOwn(answer, key) ? [[key, answer[key]]] : [])));
}

const portBindings = (map: PortMap) =>
  Object.fromEntries(
    Object.entries(map).map(([port, list]) => [
      port,
      list.map(({ HostIp = '', HostPort = '' }) => ({ HostIp, HostPort })),
    ]),
  );

/** Parts of a mount that Go shows even if nothing is in them. */
const MOUNT_PARTS = new Set(['BindOptions', 'VolumeOptions', 'ImageOptions', 'TmpfsOptions', 'DriverConfig']);

/** Go leaves out the empty fields of a mount. */
function withoutEmpty(value: object): object {
  const fields = Object.entries(value).flatMap(([name, field]: [string, unknown]) => {
    if (typeof field !== 'object' || field === null) return field ? [[name, field]] : [];
    if (MOUNT_PARTS.has(name)) return [[name, withoutEmpty(field)]];
    return Object.keys(field).length === 0 ? [] : [[name, field]];
  });
  return Object.fromEntries(fields);
}

/** Config with Docker's zero values; absent optional fields stay absent. */
export function configAnswer(record: ContainerRecord): Record<string, unknown> {
  const { config } = record;
  const mac = record.endpoints[networkModeOf(record.host)]?.MacAddress;
  const set = <K extends keyof typeof config>(key: K) => (config[key] === undefined ? {} : { [key]: config[key] });
  return {
    Hostname: config.Hostname ?? '',
    Domainname: config.Domainname ?? '',
    User: config.User ?? '',
    AttachStdin: config.AttachStdin ?? false,
    AttachStdout: config.AttachStdout ?? false,
    AttachStderr: config.AttachStderr ?? false,
    ...(config.ExposedPorts === undefined ? {} : { ExposedPorts: sorted(config.ExposedPorts) }),
    Tty: config.Tty ?? false,
    OpenStdin: config.OpenStdin ?? false,
    StdinOnce: config.StdinOnce ?? false,
    Env: config.Env?.length ? config.Env : null,
    Cmd: config.Cmd ?? null,
    ...set('Healthcheck'),
    ...(config.ArgsEscaped ? { ArgsEscaped: true } : {}),
    Image: config.Image ?? '',
    Volumes: config.Volumes ?? null,
    WorkingDir: config.WorkingDir ?? '',
    Entrypoint: config.Entrypoint ?? null,
    ...(config.NetworkDisabled ? { NetworkDisabled: true } : {}),
    // That of the main network, where it was asked for.
    ...(mac ? { MacAddress: mac } : {}),
    OnBuild: config.OnBuild ?? null,
    Labels: sorted(config.Labels),
    ...(config.StopSignal ? { StopSignal: config.StopSignal } : {}),
    ...set('StopTimeout'),
    ...set('Shell'),
  };
}

/** A network's id, or '' if it is gone. */
export const networkIdOf = (name: string, parts: Pick<InspectParts, 'networkId'>): string => {
  try {
    return parts.networkId(name);
  } catch {
    return '';
  }
};

/** An endpoint that is not realised: what was asked for, and zeros. After the first start its network and names are known. */
export function idleEndpoint(
  record: ContainerRecord,
  name: string,
  parts: Pick<InspectParts, 'networkId'>,
): EndpointSettingsAnswer {
  const settings: EndpointSettings = record.endpoints[name]!;
  const started = record.state.startedAt !== ZERO_TIME;
  const ipam = settings.IPAMConfig;
  const names = [record.name, ...(settings.Aliases ?? []), shortId(record.id), record.config.Hostname ?? ''];
  return {
    IPAMConfig:
      ipam === undefined
        ? null
        : {
            ...(ipam.IPv4Address ? { IPv4Address: ipam.IPv4Address } : {}),
            ...(ipam.IPv6Address ? { IPv6Address: ipam.IPv6Address } : {}),
            ...(ipam.LinkLocalIPs ? { LinkLocalIPs: ipam.LinkLocalIPs } : {}),
          },
    Links: settings.Links ?? null,
    Aliases: settings.Aliases ?? null,
    MacAddress: started ? '' : (settings.MacAddress ?? ''),
    DriverOpts: settings.DriverOpts ?? null,
    GwPriority: settings.GwPriority ?? 0,
    NetworkID: started ? networkIdOf(name, parts) : '',
    EndpointID: '',
    Gateway: '',
    IPAddress: '',
    IPPrefixLen: 0,
    IPv6Gateway: '',
    GlobalIPv6Address: '',
    GlobalIPv6PrefixLen: 0,
    DNSNames: started && isUserDefined(name) ? [...new Set(names.filter((text) => text !== ''))] : null,
  };
}

export function networkSettings(container: Container, parts: InspectParts): Record<string, unknown> {
  const { record } = container;
  const sandbox = parts.networks.sandbox(container.id);
  const networks: Record<string, EndpointSettingsAnswer> = sandbox?.endpoints ?? {};
  const all = Object.fromEntries(
    Object.keys(record.endpoints).map((name) => [name, networks[name] ?? idleEndpoint(record, name, parts)]),
  );
  const first = all.bridge;
  return {
    Bridge: '',
    SandboxID: sandbox?.sandboxId ?? '',
    SandboxKey: sandbox?.netnsPath ?? '',
    Ports: sandbox?.ports ?? {},
    HairpinMode: false,
    LinkLocalIPv6Address: '',
    LinkLocalIPv6PrefixLen: 0,
    SecondaryIPAddresses: null,
    SecondaryIPv6Addresses: null,
    EndpointID: first?.EndpointID ?? '',
    Gateway: first?.Gateway ?? '',
    GlobalIPv6Address: first?.GlobalIPv6Address ?? '',
    GlobalIPv6PrefixLen: first?.GlobalIPv6PrefixLen ?? 0,
    IPAddress: first?.IPAddress ?? '',
    IPPrefixLen: first?.IPPrefixLen ?? 0,
    IPv6Gateway: first?.IPv6Gateway ?? '',
    MacAddress: first?.MacAddress ?? '',
    Networks: all,
  };
}

/** `GET /containers/{id}/json`; `sizes` where they were asked for. */
export function inspectAnswer(
  container: Container,
  parts: InspectParts,
  sizes?: { SizeRw: number; SizeRootFs: number },
): Record<string, unknown> {
  const { record } = container;
  const args = [...(record.config.Entrypoint ?? []), ...(record.config.Cmd ?? [])];
  const graph = parts.graph(container.id);
  const directory = parts.directory(container.id);
  // Its files are written by the first start, also by one that fails.
  const everStarted = record.state.startedAt !== ZERO_TIME || record.state.error !== '';
  const file = (name: string) => (everStarted ? `${directory}/${name}` : '');
  return {
    Id: record.id,
    Created: record.created,
    Path: args[0] ?? '',
    Args: args.slice(1),
    State: stateAnswer(record, parts.health(container.id)),
    Image: record.imageId,
    ResolvConfPath: file('resolv.conf'),
    HostnamePath: file('hostname'),
    HostsPath: file('hosts'),
    LogPath:
      (record.host.LogConfig?.Type || 'json-file') !== 'json-file' || !everStarted ? '' : parts.logPath(container.id),
    Name: `/${record.name}`,
    RestartCount: record.state.restartCount,
    Driver: 'overlay2',
    Platform: record.platform,
    MountLabel: '',
    ProcessLabel: '',
    AppArmorProfile: '',
    ExecIDs: parts.execIds(container.id).length > 0 ? parts.execIds(container.id) : null,
    HostConfig: hostAnswer({ ...record.host, Runtime: record.runtime }),
    GraphDriver: {
      Data: {
        ID: record.id,
        LowerDir: graph.lower.join(':'),
        MergedDir: graph.merged,
        UpperDir: graph.upper,
        WorkDir: graph.work,
      },
      Name: 'overlay2',
    },
    ...sizes,
    Mounts: mountPoints(record, parts.volumePath),
    Config: configAnswer(record),
    NetworkSettings: networkSettings(container, parts),
  };
}
