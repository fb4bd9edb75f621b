import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { availableParallelism } from 'node:os';
import { invalid, notFound } from '../../common/index.ts';
import { type Limit, tweakCapabilities } from '../../runtime/index.ts';
import { parseSignal } from '../../sys/index.ts';
import type { ContainerConfig, HostConfig, Resources } from '../../wire/index.ts';
import { discardMissingLimits } from './discarded-limits.ts';
import { isPort } from './port-keys.ts';

/** What a create request becomes: the image's configuration beneath the request's (moby daemon/commit.go merge). Pure. */
export function mergeConfig(request: ContainerConfig, image: ContainerConfig | undefined): ContainerConfig {
  const own = { ...request };
  if (image === undefined) return own;
  own.User ||= image.User;
  own.ExposedPorts = mergeSets(image.ExposedPorts, own.ExposedPorts);
  const names = new Set((own.Env ?? []).map((pair) => pair.split('=')[0]));
  const inherited = (image.Env ?? []).filter((pair) => !names.has(pair.split('=')[0]));
  // Docker appends what the image sets and the request does not.
  own.Env = own.Env === undefined && inherited.length === 0 ? own.Env : [...(own.Env ?? []), ...inherited];
  own.Labels = { ...image.Labels, ...own.Labels };
  if (own.Entrypoint === undefined || own.Entrypoint.length === 0) {
    if (own.Cmd === undefined || own.Cmd.length === 0) {
      own.Cmd = image.Cmd;
      own.ArgsEscaped = image.ArgsEscaped;
    }
    // `[""]` empties the image's entrypoint.
    if (own.Entrypoint === undefined) own.Entrypoint = image.Entrypoint;
  }
  if (own.Entrypoint?.length === 1 && own.Entrypoint[0] === '') own.Entrypoint = undefined;
  if (image.Healthcheck !== undefined) {
    if (own.Healthcheck === undefined) own.Healthcheck = image.Healthcheck;
    else
      own.Healthcheck = {
        Test: own.Healthcheck.Test?.length ? own.Healthcheck.Test : image.Healthcheck.Test,
        Interval: own.Healthcheck.Interval || image.Healthcheck.Interval,
        Timeout: own.Healthcheck.Timeout || image.Healthcheck.Timeout,
        StartPeriod: own.Healthcheck.StartPeriod || image.Healthcheck.StartPeriod,
        StartInterval: own.Healthcheck.StartInterval || image.Healthcheck.StartInterval,
        Retries: own.Healthcheck.Retries || image.Healthcheck.Retries,
      };
  }
  own.WorkingDir ||= image.WorkingDir;
  own.Volumes = mergeSets(image.Volumes, own.Volumes);
  own.StopSignal ||= image.StopSignal;
  own.Shell ??= image.Shell;
  return own;
}

function mergeSets(
  a: Record<string, object> | undefined,
  b: Record<string, object> | undefined,
): Record<string, Record<string, never>> | undefined {
  const merged = { ...a, ...b };
  return Object.keys(merged).length === 0 ? undefined : (merged as Record<string, Record<string, never>>);
}

/** The process: entrypoint followed by command. Throws "no command specified". */
export function argsOf(config: ContainerConfig): string[] {
  const args = [...(config.Entrypoint ?? []), ...(config.Cmd ?? [])];
  if (args.length === 0) throw invalid('no command specified');
  return args;
}

export const networkModeOf = (host: HostConfig): string =>
  host.NetworkMode === undefined || host.NetworkMode === '' || host.NetworkMode === 'default'
    ? 'bridge'
    : host.NetworkMode;
/** A mode that names a network somebody made. */
export const isUserDefined = (mode: string): boolean =>
  !['bridge', 'host', 'none'].includes(mode) && !isContainerMode(mode);
export const isContainerMode = (mode: string | undefined): boolean => mode?.startsWith('container:') === true;

const MIN_MEMORY = 6 * 2 ** 20;
const MODES: Record<string, RegExp> = {
  ipc: /^(|none|private|shareable|host|container:.+)$/,
  pid: /^(|host|container:.+)$/,
  uts: /^(|host)$/,
  userns: /^(|host)$/,
  cgroupns: /^(|private|host)$/,
};

/** Refuses what cannot work, in moby's words (daemon/container.go verifyContainerSettings and daemon_unix.go). Returns warnings. */
export function checkConfig(
  config: ContainerConfig,
  host: HostConfig,
  machine: { runtimes: ReadonlySet<string>; limits: ReadonlySet<Limit> },
): string[] {
  const warnings: string[] = [];
  if (config.WorkingDir && !config.WorkingDir.startsWith('/'))
    throw invalid(`the working directory '${config.WorkingDir}' is invalid, it needs to be an absolute path`);
  if (config.StopSignal) parseSignal(config.StopSignal);
  for (const pair of config.Env ?? [])
    if (pair === '' || pair.startsWith('=')) throw invalid(`invalid environment variable: ${pair}`);
  checkHealth(config);
  checkNetwork(config, host);
  checkPolicy(host);
  tweakCapabilities(host.CapAdd ?? [], host.CapDrop ?? [], false);
  for (const [field, pattern] of Object.entries(MODES)) {
    const value =
      { ipc: host.IpcMode, pid: host.PidMode, uts: host.UTSMode, userns: host.UsernsMode, cgroupns: host.CgroupnsMode }[
        field
      ] ?? '';
    if (!pattern.test(value))
      throw invalid(`invalid ${field === 'cgroupns' ? 'cgroup namespace' : field.toUpperCase()} mode: ${value}`);
  }
  if (host.Isolation && host.Isolation !== 'default')
    throw invalid(`invalid isolation (${host.Isolation}): linux only supports 'default'`);
  if (host.Runtime && !machine.runtimes.has(host.Runtime))
    throw invalid(`unknown or invalid runtime name: ${host.Runtime}`);
  checkResources(host, machine.limits, warnings);
  if (host.OomScoreAdj !== undefined && (host.OomScoreAdj < -1000 || host.OomScoreAdj > 1000))
    throw invalid(`Invalid value ${host.OomScoreAdj}, range for oom score adj is [-1000, 1000]`);
  if (Object.hasOwn(host.Annotations ?? {}, ''))
    throw invalid('invalid Annotations: the empty string is not permitted as an annotation key');
  if ((host.ShmSize ?? 0) < 0) throw invalid('SHM size can not be less than 0');
  for (const [key] of Object.entries(host.Sysctls ?? {})) checkSysctl(key, host);
  if (host.DeviceRequests?.length) {
    const { Driver, Capabilities } = host.DeviceRequests[0]!;
    const caps = `[${(Capabilities ?? []).map((set) => `[${set.join(' ')}]`).join(' ')}]`;
    throw invalid(`could not select device driver "${Driver ?? ''}" with capabilities: ${caps}`);
  }
  for (const [key] of Object.entries(host.StorageOpt ?? {}))
    throw invalid(
      key === 'size'
        ? "--storage-opt is supported only for overlay over xfs with 'pquota' mount option"
        : `Unknown option ${key}`,
    );
  const health = host.HealthOnFailure ?? '';
  if (!['', 'none', 'kill', 'restart', 'stop'].includes(health))
    throw invalid(`invalid health-on-failure action: ${health}: must be one of none, kill, restart, stop`);
  if (networkModeOf(host) === 'host' && Object.keys(host.PortBindings ?? {}).length > 0)
    warnings.push('Published ports are discarded when using host network mode');
  return warnings;
}

function checkHealth({ Healthcheck: health }: ContainerConfig): void {
  if (health === undefined) return;
  const floor = (value: number | undefined, name: string) => {
    if (value !== undefined && value !== 0 && value < 1e6)
      throw invalid(`${name} in Healthcheck cannot be less than 1ms`);
  };
  floor(health.Interval, 'Interval');
  floor(health.Timeout, 'Timeout');
  floor(health.StartPeriod, 'StartPeriod');
  floor(health.StartInterval, 'StartInterval');
  if ((health.Retries ?? 0) < 0) throw invalid('Retries in Healthcheck cannot be negative');
}

function checkNetwork(config: ContainerConfig, host: HostConfig): void {
  const mode = networkModeOf(host);
  if (mode === 'container' || mode === 'container:')
    throw invalid('invalid network mode: invalid container format container:<name|id>');
  if (isContainerMode(mode)) {
    if (config.Hostname) throw invalid('conflicting options: hostname and the network mode');
    if (host.Links?.length)
      throw invalid(
        "conflicting options: container type network can't be used with links. This would result in undefined behavior",
      );
    if (host.Dns?.length) throw invalid('conflicting options: dns and the network mode');
    if (host.ExtraHosts?.length) throw invalid('conflicting options: custom host-to-IP mapping and the network mode');
    if (Object.keys(host.PortBindings ?? {}).length > 0)
      throw invalid('conflicting options: port publishing and the container type network mode');
    if (host.PublishAllPorts) throw invalid('conflicting options: port publishing and the container type network mode');
  }
  if (mode === 'host' && host.Links?.length)
    throw invalid(
      "conflicting options: host type networking can't be used with links. This would result in undefined behavior",
    );
  if (host.UTSMode === 'host' && config.Hostname && mode !== 'host')
    throw invalid('conflicting options: hostname and the UTS mode');
  for (const name of host.Dns ?? []) if (!/^[0-9a-fA-F.:]+$/.test(name)) throw invalid(`bad DNS address: ${name}`);
  for (const pair of host.ExtraHosts ?? []) {
    const [, address] = /^[^:=]+[:=](.+)$/.exec(pair) ?? [];
    if (address === undefined) throw invalid(`bad format for add-host: "${pair}"`);
    if (address !== 'host-gateway' && isIP(address.replace(/^\[(.*)\]$/, '$1')) === 0)
      throw invalid(`invalid IP address in add-host: "${address}"`);
  }
  for (const [port, bindings] of Object.entries(host.PortBindings ?? {})) {
    if (!isPort(port)) throw invalid(`invalid port specification: "${port}"`);
    for (const { HostPort } of bindings)
      if (HostPort && !isPortRange(HostPort)) throw invalid(`invalid port specification: "${HostPort}"`);
  }
}

/** A port of the machine, where 0 is any, or a range of them. */
function isPortRange(text: string): boolean {
  const match = /^(\d+)(?:-(\d+))?$/.exec(text);
  if (match === null) return false;
  const [from, to] = [Number(match[1]), Number(match[2] ?? match[1])];
  return from <= to && to <= 65535;
}

function checkPolicy(host: HostConfig): void {
  const { Name: name = '', MaximumRetryCount: retries = 0 } = host.RestartPolicy ?? {};
  if (!['', 'no', 'always', 'on-failure', 'unless-stopped'].includes(name))
    throw invalid(
      `invalid restart policy: unknown policy '${name}'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'`,
    );
  if (retries !== 0 && name !== 'on-failure')
    throw invalid(
      `invalid restart policy: maximum retry count can only be used with 'on-failure'${retries < 0 ? ' and cannot be negative' : ''}`,
    );
  if (retries < 0) throw invalid('invalid restart policy: maximum retry count cannot be negative');
  if (host.AutoRemove && name !== '' && name !== 'no')
    throw invalid("can't create 'AutoRemove' container with restart policy");
}

/** Restart policies as update sees them. */
export const checkRestartPolicy = (host: HostConfig): void => checkPolicy(host);

/** `0-3,7` (moby parsers.ParseUintList). */
function numbersIn(text: string, what: string): number[] {
  return text.split(',').flatMap((part) => {
    const match = /^(\d+)(?:-(\d+))?$/.exec(part);
    const [from, to] = [Number(match?.[1]), Number(match?.[2] ?? match?.[1])];
    if (match === null || to < from) throw invalid(`Invalid value ${text} for ${what}: invalid format: ${text}`);
    return Array.from({ length: Math.min(to - from, MAX_CPUS) + 1 }, (_, index) => from + index);
  });
}
/** moby refuses numbers above it. */
const MAX_CPUS = 8192;

/** `0` or `0-1`: the nodes whose memory may be used. */
function memoryNodes(): string {
  try {
    return readFileSync('/sys/devices/system/node/has_memory', 'utf8').trim();
  } catch {
    return '0';
  }
}

export function checkResources(host: Resources, limits: ReadonlySet<Limit>, warnings: string[]): void {
  discardMissingLimits(host, limits, warnings);
  const { Memory: memory = 0, MemorySwap: swap = 0, MemoryReservation: reservation = 0 } = host;
  if (memory !== 0 && memory < MIN_MEMORY) throw invalid('Minimum memory limit allowed is 6MB');
  if (memory > 0 && swap > 0 && swap < memory)
    throw invalid('Minimum memoryswap limit should be larger than memory limit, see usage');
  if (memory === 0 && swap > 0)
    throw invalid('You should always set the Memory limit when using Memoryswap limit, see usage');
  const swappiness = host.MemorySwappiness;
  if (swappiness !== undefined && swappiness !== -1 && (swappiness < 0 || swappiness > 100))
    throw invalid(`Invalid value: ${swappiness}, valid memory swappiness range is 0-100`);
  if (reservation !== 0 && reservation < MIN_MEMORY) throw invalid('Minimum memory reservation allowed is 6MB');
  if (memory > 0 && reservation > 0 && memory < reservation)
    throw invalid('Minimum memory limit can not be less than memory reservation limit, see usage');
  if (host.OomKillDisable && memory === 0)
    warnings.push(
      'OOM killer is disabled for the container, but no memory limit is set, this can result in the system running out of resources.',
    );
  const cpus = availableParallelism();
  if (host.NanoCpus) {
    if (host.CpuPeriod) throw invalid('Conflicting options: Nano CPUs and CPU Period cannot both be set');
    if (host.CpuQuota) throw invalid('Conflicting options: Nano CPUs and CPU Quota cannot both be set');
    if (host.NanoCpus < 0 || host.NanoCpus > cpus * 1e9)
      throw invalid(`range of CPUs is from 0.01 to ${cpus}.00, as there are only ${cpus} CPUs available`);
  }
  if (host.CpuShares !== undefined && host.CpuShares < 0)
    throw invalid(`invalid CPU shares (${host.CpuShares}): value must be a positive integer`);
  if (host.CpuPeriod && (host.CpuPeriod < 1000 || host.CpuPeriod > 1_000_000))
    throw invalid('CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)');
  if (host.CpuQuota && host.CpuQuota > 0 && host.CpuQuota < 1000)
    throw invalid('CPU cfs quota can not be less than 1ms (i.e. 1000)');
  if (host.CpusetCpus) {
    const wanted = numbersIn(host.CpusetCpus, 'cpuset cpus');
    if (wanted.some((cpu) => cpu >= cpus))
      throw invalid(`Requested CPUs are not available - requested ${host.CpusetCpus}, available: 0-${cpus - 1}`);
  }
  if (host.CpusetMems) {
    const wanted = numbersIn(host.CpusetMems, 'cpuset mems');
    const nodes = memoryNodes();
    const available = new Set(numbersIn(nodes, 'memory nodes'));
    if (wanted.some((node) => !available.has(node)))
      throw invalid(`Requested memory nodes are not available - requested ${host.CpusetMems}, available: ${nodes}`);
  }
  if (host.CpuRealtimePeriod && host.CpuRealtimeRuntime && host.CpuRealtimeRuntime > host.CpuRealtimePeriod)
    throw invalid('cpu real-time runtime cannot be higher than cpu real-time period');
  if (host.CpuPercent) {
    host.CpuPercent = undefined;
    warnings.push('linux does not support CPU percent. Percent discarded.');
  }
  if (host.IOMaximumIOps) throw invalid('invalid option: QoS maximum IOPs configuration is not supported on linux');
  if (host.IOMaximumBandwidth)
    throw invalid('invalid option: QoS maximum bandwidth configuration is not supported on linux');
  if (host.BlkioWeight && (host.BlkioWeight < 10 || host.BlkioWeight > 1000))
    throw invalid('Range of blkio weight is from 10 to 1000');
  if (host.KernelMemory) warnings.push('Specifying a kernel memory limit is deprecated and has no effect.');
}

function checkSysctl(key: string, host: HostConfig): void {
  if (key.startsWith('net.')) {
    if (networkModeOf(host) === 'host') throw invalid(`sysctl "${key}" is not allowed in the host network namespace`);
    // Interfaces of a container have their names only once it starts (moby daemon/container.go).
    if (/^net\.(?:ipv4|ipv6|mpls)\.(?:conf|neigh)\.(?!all\.|default\.)/.test(key))
      throw invalid(
        `interface specific sysctl setting "${key}" must be supplied using driver option 'com.docker.network.endpoint.sysctls'`,
      );
    return;
  }
  if (/^(kernel\.(msg|sem|shm)|fs\.mqueue\.)/.test(key)) return;
  throw invalid(`sysctl "${key}" is not in a separate kernel namespace`);
}

/** `--security-opt` values (moby parseSecurityOpt). Throws `invalid --security-opt 2: "x"`. */
export function securityOptions(list: readonly string[]): {
  seccomp: string | undefined;
  noNewPrivileges: boolean;
  unmasked: boolean;
  /** undefined: as the container is privileged or not. */
  writableCgroups: boolean | undefined;
} {
  const result = {
    seccomp: undefined as string | undefined,
    noNewPrivileges: false,
    unmasked: false,
    writableCgroups: undefined as boolean | undefined,
  };
  for (const option of list) {
    if (option === 'no-new-privileges' || option === 'no-new-privileges=true' || option === 'no-new-privileges:true')
      result.noNewPrivileges = true;
    else if (/^no-new-privileges[=:]false$/.test(option)) result.noNewPrivileges = false;
    else if (option === 'disable' || option === 'label=disable' || option === 'label:disable') continue;
    else if (option === 'writable-cgroups') result.writableCgroups = true;
    else {
      const match = /^([a-z-]+)[=:]([\s\S]*)$/.exec(option);
      if (match === null) throw invalid(`invalid --security-opt 1: "${option}"`);
      const [, key, value = ''] = match;
      if (key === 'seccomp') result.seccomp = value === 'builtin' ? undefined : value;
      else if (key === 'systempaths' && value === 'unconfined') result.unmasked = true;
      else if (key === 'writable-cgroups' && /^(true|false)$/.test(value)) result.writableCgroups = value === 'true';
      else if (key === 'apparmor' || key === 'label') continue;
      else throw invalid(`invalid --security-opt 2: "${option}"`);
    }
  }
  return result;
}

/** The container that a `container:` mode names. */
export function modeTarget(mode: string): string {
  const target = mode.slice('container:'.length);
  if (target === '') throw notFound('invalid mode: container: needs a name');
  return target;
}
