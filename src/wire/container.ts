import { z } from 'zod';
import { bool, command, int, keySet, num, opt, str, stringMap, strings } from './schema.ts';

/** Engine API v1.51: HealthConfig. Durations are nanoseconds; 0 means the default. `Test` is [], ["NONE"], ["CMD",…] or ["CMD-SHELL",…]. */
export const HealthConfig = z.object({
  Test: strings,
  Interval: int,
  Timeout: int,
  StartPeriod: int,
  StartInterval: int,
  Retries: int,
});
export type HealthConfig = z.infer<typeof HealthConfig>;

/** The portable part of a container's configuration, and what an image carries as its own. */
export const ContainerConfig = z.object({
  Hostname: str,
  Domainname: str,
  User: str,
  AttachStdin: bool,
  AttachStdout: bool,
  AttachStderr: bool,
  ExposedPorts: keySet,
  Tty: bool,
  OpenStdin: bool,
  StdinOnce: bool,
  Env: strings,
  Cmd: command,
  Healthcheck: opt(HealthConfig),
  ArgsEscaped: bool,
  Image: str,
  Volumes: keySet,
  WorkingDir: str,
  Entrypoint: command,
  NetworkDisabled: bool,
  MacAddress: str,
  OnBuild: strings,
  Labels: stringMap,
  StopSignal: str,
  StopTimeout: int,
  Shell: command,
});
export type ContainerConfig = z.infer<typeof ContainerConfig>;

export const PortBinding = z.object({ HostIp: str, HostPort: str });
export type PortBinding = z.infer<typeof PortBinding>;
/** `{"80/tcp": [{HostIp, HostPort}]}`. */
export const PortMap = z.record(
  z.string(),
  z
    .array(PortBinding)
    .nullish()
    .transform((list) => list ?? []),
);
export type PortMap = z.infer<typeof PortMap>;

export const RestartPolicy = z.object({ Name: str, MaximumRetryCount: int });
export type RestartPolicy = z.infer<typeof RestartPolicy>;

export const Mount = z.object({
  Type: str,
  Source: str,
  Target: str,
  ReadOnly: bool,
  Consistency: str,
  BindOptions: opt(
    z.object({
      Propagation: str,
      NonRecursive: bool,
      CreateMountpoint: bool,
      ReadOnlyNonRecursive: bool,
      ReadOnlyForceRecursive: bool,
      /** Gantry's extension: an id-mapped mount, `match-user` or `match-user:USER`. */
      IdMap: str,
    }),
  ),
  VolumeOptions: opt(
    z.object({
      NoCopy: bool,
      Labels: stringMap,
      DriverConfig: opt(z.object({ Name: str, Options: stringMap })),
      Subpath: str,
    }),
  ),
  ImageOptions: opt(z.object({ Subpath: str })),
  TmpfsOptions: opt(
    z.object({ SizeBytes: int, Mode: opt(z.number().int().nonnegative()), Options: opt(z.array(z.array(z.string()))) }),
  ),
});
export type Mount = z.infer<typeof Mount>;

const ThrottleDevice = opt(z.array(z.object({ Path: z.string(), Rate: z.number().int().nonnegative() })));

/** What both create and update may set. Sizes are bytes, CPU times microseconds unless named otherwise. */
export const Resources = z.object({
  CpuShares: int,
  Memory: int,
  NanoCpus: int,
  CgroupParent: str,
  BlkioWeight: int,
  BlkioWeightDevice: opt(z.array(z.object({ Path: z.string(), Weight: z.number().int() }))),
  BlkioDeviceReadBps: ThrottleDevice,
  BlkioDeviceWriteBps: ThrottleDevice,
  BlkioDeviceReadIOps: ThrottleDevice,
  BlkioDeviceWriteIOps: ThrottleDevice,
  CpuPeriod: int,
  CpuQuota: int,
  CpuRealtimePeriod: int,
  CpuRealtimeRuntime: int,
  CpusetCpus: str,
  CpusetMems: str,
  Devices: opt(z.array(z.object({ PathOnHost: str, PathInContainer: str, CgroupPermissions: str }))),
  DeviceCgroupRules: strings,
  DeviceRequests: opt(
    z.array(
      z.object({
        Driver: str,
        Count: int,
        DeviceIDs: strings,
        Capabilities: opt(z.array(z.array(z.string()))),
        Options: stringMap,
      }),
    ),
  ),
  KernelMemory: int,
  KernelMemoryTCP: int,
  MemoryReservation: int,
  MemorySwap: int,
  MemorySwappiness: int,
  OomKillDisable: bool,
  PidsLimit: int,
  Ulimits: opt(z.array(z.object({ Name: z.string(), Soft: z.number().int(), Hard: z.number().int() }))),
  CpuCount: int,
  CpuPercent: int,
  IOMaximumIOps: int,
  IOMaximumBandwidth: int,
});
export type Resources = z.infer<typeof Resources>;

/** The part that depends on the host. */
export const HostConfig = Resources.extend({
  Binds: strings,
  ContainerIDFile: str,
  LogConfig: opt(z.object({ Type: str, Config: stringMap })),
  NetworkMode: str,
  PortBindings: opt(PortMap),
  RestartPolicy: opt(RestartPolicy),
  AutoRemove: bool,
  VolumeDriver: str,
  VolumesFrom: strings,
  ConsoleSize: opt(z.array(z.number().int())),
  Annotations: stringMap,
  CapAdd: command,
  CapDrop: command,
  CgroupnsMode: str,
  Dns: strings,
  DnsOptions: strings,
  DnsSearch: strings,
  ExtraHosts: strings,
  GroupAdd: strings,
  IpcMode: str,
  Cgroup: str,
  Links: strings,
  OomScoreAdj: int,
  PidMode: str,
  Privileged: bool,
  PublishAllPorts: bool,
  ReadonlyRootfs: bool,
  SecurityOpt: strings,
  StorageOpt: stringMap,
  Tmpfs: stringMap,
  UTSMode: str,
  UsernsMode: str,
  ShmSize: int,
  Sysctls: stringMap,
  Runtime: str,
  Isolation: str,
  Mounts: opt(z.array(Mount)),
  MaskedPaths: strings,
  ReadonlyPaths: strings,
  Init: bool,
  /** Gantry's extension: what a container does when its health check fails: none, kill, restart, stop. */
  HealthOnFailure: str,
});
export type HostConfig = z.infer<typeof HostConfig>;

export const EndpointIPAMConfig = z.object({ IPv4Address: str, IPv6Address: str, LinkLocalIPs: strings });
/** A container's place on one network: what was asked for, and (in answers) what it got. */
export const EndpointSettings = z.object({
  IPAMConfig: opt(EndpointIPAMConfig),
  Links: strings,
  MacAddress: str,
  Aliases: strings,
  DriverOpts: stringMap,
  GwPriority: num,
  NetworkID: str,
  EndpointID: str,
  Gateway: str,
  IPAddress: str,
  IPPrefixLen: int,
  IPv6Gateway: str,
  GlobalIPv6Address: str,
  GlobalIPv6PrefixLen: int,
  DNSNames: strings,
});
export type EndpointSettings = z.infer<typeof EndpointSettings>;

export const NetworkingConfig = z.object({ EndpointsConfig: opt(z.record(z.string(), opt(EndpointSettings))) });
export type NetworkingConfig = z.infer<typeof NetworkingConfig>;

export const CreateContainerBody = ContainerConfig.extend({
  HostConfig: opt(HostConfig),
  NetworkingConfig: opt(NetworkingConfig),
  /** Where docker-py puts the runtime; HostConfig's counts first. */
  Runtime: str,
});
export type CreateContainerBody = z.infer<typeof CreateContainerBody>;

export const UpdateContainerBody = Resources.extend({ RestartPolicy: opt(RestartPolicy) });
export type UpdateContainerBody = z.infer<typeof UpdateContainerBody>;

export const ExecConfig = z.object({
  User: str,
  Privileged: bool,
  Tty: bool,
  ConsoleSize: opt(z.array(z.number().int())),
  AttachStdin: bool,
  AttachStderr: bool,
  AttachStdout: bool,
  Detach: bool,
  DetachKeys: str,
  Env: strings,
  WorkingDir: str,
  Cmd: strings,
});
export type ExecConfig = z.infer<typeof ExecConfig>;

export type ContainerStatus = 'created' | 'running' | 'paused' | 'restarting' | 'removing' | 'exited' | 'dead';

/** Answer types (`GET /containers/{id}/json`). Field names and zero values are Docker's. */
export interface HealthLogEntry {
  Start: string;
  End: string;
  ExitCode: number;
  Output: string;
}
export interface HealthState {
  Status: 'none' | 'starting' | 'healthy' | 'unhealthy';
  FailingStreak: number;
  Log: HealthLogEntry[];
}
export interface ContainerState {
  Status: ContainerStatus;
  Running: boolean;
  Paused: boolean;
  Restarting: boolean;
  OOMKilled: boolean;
  Dead: boolean;
  Pid: number;
  ExitCode: number;
  Error: string;
  StartedAt: string;
  FinishedAt: string;
  Health?: HealthState;
}
/** One row of an inspect's `Mounts`. */
export interface MountPoint {
  Type: 'bind' | 'volume' | 'tmpfs' | 'image';
  Name?: string;
  Source: string;
  Destination: string;
  Driver?: string;
  Mode: string;
  RW: boolean;
  Propagation: string;
}
export interface NetworkSettings {
  Bridge: string;
  SandboxID: string;
  SandboxKey: string;
  Ports: Record<string, { HostIp: string; HostPort: string }[] | null>;
  HairpinMode: boolean;
  LinkLocalIPv6Address: string;
  LinkLocalIPv6PrefixLen: number;
  SecondaryIPAddresses: null;
  SecondaryIPv6Addresses: null;
  EndpointID: string;
  Gateway: string;
  GlobalIPv6Address: string;
  GlobalIPv6PrefixLen: number;
  IPAddress: string;
  IPPrefixLen: number;
  IPv6Gateway: string;
  MacAddress: string;
  Networks: Record<string, EndpointSettingsAnswer>;
}
export interface EndpointSettingsAnswer {
  IPAMConfig: { IPv4Address?: string; IPv6Address?: string; LinkLocalIPs?: string[] } | null;
  Links: string[] | null;
  Aliases: string[] | null;
  MacAddress: string;
  DriverOpts: Record<string, string> | null;
  GwPriority: number;
  NetworkID: string;
  EndpointID: string;
  Gateway: string;
  IPAddress: string;
  IPPrefixLen: number;
  IPv6Gateway: string;
  GlobalIPv6Address: string;
  GlobalIPv6PrefixLen: number;
  DNSNames: string[] | null;
}
export interface PortSummary {
  IP?: string;
  PrivatePort: number;
  PublicPort?: number;
  Type: string;
}
