import type { ContainerConfig, CreateContainerBody, HostConfig } from '../../wire/index.ts';
import type { FlagValues } from '../spec.ts';
import { endpoints, networkMode } from './endpoints.ts';
import { readKeyValueFile, toMap } from './key-values.ts';
import { parseMount, parseVolumes } from './mounts.ts';
import { parseExposed, parsePublished } from './ports.ts';
import {
  isCdiDevice,
  parseByteRate,
  parseDevice,
  parseGpus,
  parseIoRate,
  parseRestart,
  parseUlimit,
  parseWeightDevice,
} from './resources.ts';
import { parseSecurityOpts } from './security.ts';

/** Go sends every field; what is empty there is left out here, which the API takes for the same. */
/** Docker sends null for lists that nothing was given for. */
const orNone = (list: string[]): string[] | undefined => (list.length === 0 ? undefined : list);
const orNothing = (text: string): string | undefined => (text === '' ? undefined : text);

/** The body of `POST /containers/create` for what was typed (docker/cli container/opts.go parse). Throws Error with Docker's words. */
export function containerBody(
  flags: FlagValues,
  image: string,
  command: readonly string[],
  env: NodeJS.ProcessEnv,
): CreateContainerBody {
  const swappiness = flags.int('memory-swappiness');
  if (swappiness !== -1 && (swappiness < 0 || swappiness > 100))
    throw new Error(`invalid value: ${swappiness}. Valid memory swappiness range is 0-100`);
  const mac = flags.text('mac-address').trim();
  if (mac !== '' && !/^([\da-f]{2}[:-]){5}[\da-f]{2}$/i.test(mac)) throw new Error(`${mac} is not a valid mac address`);
  const volumes = parseVolumes(flags.list('volume'));
  const published = parsePublished(flags.list('publish'));
  const exposed = { ...published.exposed, ...parseExposed(flags.list('expose')) };
  const config = portableConfig(flags, image, command, env, exposed, volumes.anonymous);
  const hostConfig = hostConfigOf(flags, volumes.binds, published.bindings);
  if (hostConfig.AutoRemove && hostConfig.RestartPolicy?.Name && hostConfig.RestartPolicy.Name !== 'no')
    throw new Error('conflicting options: cannot specify both --restart and --rm');
  return {
    ...config,
    // The API's older place for it; the endpoint carries it as well.
    MacAddress: undefined,
    HostConfig: hostConfig,
    NetworkingConfig: { EndpointsConfig: endpoints(flags) },
  } as CreateContainerBody;
}

function portableConfig(
  flags: FlagValues,
  image: string,
  command: readonly string[],
  env: NodeJS.ProcessEnv,
  exposed: ContainerConfig['ExposedPorts'],
  anonymous: readonly string[],
): ContainerConfig {
  const attach = flags.list('attach');
  const all = attach.length === 0;
  const stdin = flags.bool('interactive');
  const attachStdin = all ? stdin : attach.includes('stdin');
  const lookUp = (key: string) => env[key];
  const environment = [
    ...flags.list('env-file').flatMap((path) => readKeyValueFile(path, lookUp)),
    ...flags.list('env'),
  ];
  const labels = [
    // A name alone, which an environment file would look up, is no label.
    ...flags.list('label-file').flatMap((path) => readKeyValueFile(path, () => undefined)),
    ...flags.list('label'),
  ];
  const entrypoint = flags.text('entrypoint');
  return {
    Hostname: orNothing(flags.text('hostname')),
    Domainname: orNothing(flags.text('domainname')),
    User: orNothing(flags.text('user')),
    AttachStdin: attachStdin,
    AttachStdout: all || attach.includes('stdout'),
    AttachStderr: all || attach.includes('stderr'),
    ExposedPorts: exposed,
    Tty: flags.bool('tty'),
    OpenStdin: stdin,
    StdinOnce: stdin && attachStdin,
    Env: orNone(environment),
    Cmd: command.length > 0 ? [...command] : undefined,
    Healthcheck: healthcheck(flags),
    Image: image,
    Volumes: anonymous.length > 0 ? Object.fromEntries(anonymous.map((path) => [path, {}])) : undefined,
    WorkingDir: orNothing(flags.text('workdir')),
    Entrypoint: flags.changed('entrypoint') ? [entrypoint] : undefined,
    Labels: toMap(labels),
    StopSignal: orNothing(flags.text('stop-signal')),
    StopTimeout: flags.changed('stop-timeout') ? flags.int('stop-timeout') : undefined,
  } as ContainerConfig;
}

function healthcheck(flags: FlagValues): ContainerConfig['Healthcheck'] {
  const names = ['cmd', 'interval', 'timeout', 'start-period', 'start-interval', 'retries'].map(
    (name) => `health-${name}`,
  );
  const wanted = names.some((name) => flags.changed(name));
  if (flags.bool('no-healthcheck')) {
    if (wanted) throw new Error('--no-healthcheck conflicts with --health-* options');
    return { Test: ['NONE'] } as ContainerConfig['Healthcheck'];
  }
  if (!wanted) return undefined;
  for (const name of names.slice(1)) if (flags.int(name) < 0) throw new Error(`--${name} cannot be negative`);
  const command = flags.text('health-cmd');
  return {
    Test: command === '' ? undefined : ['CMD-SHELL', command],
    Interval: flags.int('health-interval'),
    Timeout: flags.int('health-timeout'),
    StartPeriod: flags.int('health-start-period'),
    StartInterval: flags.int('health-start-interval'),
    Retries: flags.int('health-retries'),
  } as ContainerConfig['Healthcheck'];
}

function hostConfigOf(flags: FlagValues, binds: string[], bindings: HostConfig['PortBindings']): HostConfig {
  const security = parseSecurityOpts(flags.list('security-opt'));
  checkModes(flags);
  const devices = flags.list('device');
  const cdi = devices.filter(isCdiDevice);
  const requests = flags.list('gpus').map(parseGpus);
  if (cdi.length > 0)
    requests.push({ Driver: 'cdi', DeviceIDs: cdi, Count: undefined, Capabilities: undefined, Options: undefined });
  const storage = flags.list('storage-opt');
  if (storage.some((option) => !option.includes('='))) throw new Error('invalid storage option');
  const logOpts = flags.list('log-opt');
  const logDriver = flags.text('log-driver');
  if (logDriver === 'none' && logOpts.length > 0) throw new Error(`invalid logging opts for driver ${logDriver}`);
  const mounts = flags.list('mount').map(parseMount);
  if (flags.bool('use-api-socket'))
    throw new Error(
      '--use-api-socket is not supported: mount the socket with -v /run/gantry/gantry.sock:/var/run/docker.sock',
    );
  const throttle = (name: string, parse: (value: string) => { Path: string; Rate: number }) =>
    flags.list(name).map(parse);
  return {
    Binds: binds.length > 0 ? binds : undefined,
    ContainerIDFile: orNothing(flags.text('cidfile')),
    LogConfig: { Type: logDriver, Config: toMap(logOpts) },
    NetworkMode: networkMode(flags),
    PortBindings: bindings,
    RestartPolicy: parseRestart(flags.text('restart')),
    AutoRemove: flags.bool('rm'),
    VolumeDriver: orNothing(flags.text('volume-driver')),
    VolumesFrom: orNone(flags.list('volumes-from')),
    Annotations: flags.list('annotation').length > 0 ? toMap(flags.list('annotation')) : undefined,
    CapAdd: orNone(flags.list('cap-add')),
    CapDrop: orNone(flags.list('cap-drop')),
    CgroupnsMode: orNothing(flags.text('cgroupns')),
    Dns: flags.list('dns'),
    DnsOptions: flags.list('dns-option'),
    DnsSearch: flags.list('dns-search'),
    ExtraHosts: orNone(flags.list('add-host')),
    GroupAdd: orNone(flags.list('group-add')),
    IpcMode: orNothing(flags.text('ipc')),
    Links: orNone(flags.list('link')),
    OomScoreAdj: flags.int('oom-score-adj'),
    PidMode: orNothing(flags.text('pid')),
    Privileged: flags.bool('privileged'),
    PublishAllPorts: flags.bool('publish-all'),
    ReadonlyRootfs: flags.bool('read-only'),
    SecurityOpt: security.securityOpt,
    StorageOpt: storage.length > 0 ? toMap(storage) : undefined,
    Tmpfs:
      flags.list('tmpfs').length > 0
        ? Object.fromEntries(flags.list('tmpfs').map((item) => splitOnce(item, ':')))
        : undefined,
    UTSMode: orNothing(flags.text('uts')),
    UsernsMode: orNothing(flags.text('userns')),
    ShmSize: flags.int('shm-size'),
    Sysctls: flags.list('sysctl').length > 0 ? toMap(flags.list('sysctl')) : undefined,
    Runtime: orNothing(flags.text('runtime')),
    Isolation: orNothing(flags.text('isolation')),
    Mounts: mounts.length > 0 ? mounts : undefined,
    ...(security.unconfinedPaths ? { MaskedPaths: [], ReadonlyPaths: [] } : {}),
    Init: flags.changed('init') ? flags.bool('init') : undefined,
    HealthOnFailure: orNothing(flags.text('health-on-failure')),
    CpuShares: flags.int('cpu-shares'),
    Memory: flags.int('memory'),
    NanoCpus: flags.int('cpus'),
    CgroupParent: orNothing(flags.text('cgroup-parent')),
    BlkioWeight: flags.int('blkio-weight'),
    BlkioWeightDevice: flags.list('blkio-weight-device').map(parseWeightDevice),
    BlkioDeviceReadBps: throttle('device-read-bps', parseByteRate),
    BlkioDeviceWriteBps: throttle('device-write-bps', parseByteRate),
    BlkioDeviceReadIOps: throttle('device-read-iops', parseIoRate),
    BlkioDeviceWriteIOps: throttle('device-write-iops', parseIoRate),
    CpuPeriod: flags.int('cpu-period'),
    CpuQuota: flags.int('cpu-quota'),
    CpuRealtimePeriod: flags.int('cpu-rt-period'),
    CpuRealtimeRuntime: flags.int('cpu-rt-runtime'),
    CpusetCpus: orNothing(flags.text('cpuset-cpus')),
    CpusetMems: orNothing(flags.text('cpuset-mems')),
    Devices: devices.filter((device) => !isCdiDevice(device)).map(parseDevice),
    DeviceCgroupRules: flags.list('device-cgroup-rule'),
    DeviceRequests: requests.length > 0 ? requests : undefined,
    KernelMemory: flags.int('kernel-memory') || undefined,
    MemoryReservation: flags.int('memory-reservation'),
    MemorySwap: flags.int('memory-swap'),
    MemorySwappiness: flags.changed('memory-swappiness') ? flags.int('memory-swappiness') : undefined,
    OomKillDisable: flags.bool('oom-kill-disable'),
    PidsLimit: flags.changed('pids-limit') ? flags.int('pids-limit') : undefined,
    Ulimits: flags.list('ulimit').map(parseUlimit),
    CpuCount: flags.int('cpu-count'),
    CpuPercent: flags.int('cpu-percent'),
    IOMaximumIOps: flags.int('io-maxiops'),
    IOMaximumBandwidth: flags.int('io-maxbandwidth'),
  } as HostConfig;
}

const splitOnce = (text: string, mark: string): [string, string] => {
  const cut = text.indexOf(mark);
  return cut < 0 ? [text, ''] : [text.slice(0, cut), text.slice(cut + 1)];
};

function checkModes(flags: FlagValues): void {
  const container = /^container:.+$/;
  const pid = flags.text('pid');
  if (pid !== '' && pid !== 'host' && !container.test(pid)) throw new Error('--pid: invalid PID mode');
  if (!['', 'host'].includes(flags.text('uts'))) throw new Error('--uts: invalid UTS mode');
  if (!['', 'host'].includes(flags.text('userns'))) throw new Error('--userns: invalid USER mode');
  if (!['', 'host', 'private'].includes(flags.text('cgroupns'))) throw new Error('--cgroupns: invalid CGROUP mode');
}
