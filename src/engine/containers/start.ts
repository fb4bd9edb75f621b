import { existsSync } from 'node:fs';
import { conflict, invalid, type Logger, notFound } from '../../common/index.ts';
import type { LayerStore } from '../../layers/index.ts';
import type { NetworkService, SandboxRequest, SandboxState } from '../../network/index.ts';
import { type Cgroups, type Monitor, makeSpec, type RuntimeChoice, resolveUser } from '../../runtime/index.ts';
import type { HostConfig } from '../../wire/index.ts';
import { checkLogValues } from '../logs/details.ts';
import { networkFailure } from '../networks.ts';
import type { Container, ContainerBook } from './book.ts';
import { argsOf, isContainerMode, modeTarget, networkModeOf, securityOptions } from './configure.ts';
import { resolveDevices, rlimitsOf } from './devices.ts';
import { environmentOf } from './environment.ts';
import { type ContainerFiles, etcMounts, hostsLines, hostsText } from './files.ts';
import { makeMountPoints, placesInRoot } from './mount-points.ts';
import { type MountParts, mountSpecs, mountVolumes } from './mount-specs.ts';
import { isPort } from './port-keys.ts';
import type { ContainerRecord } from './record.ts';
import { accountsOf, textOf } from './root-path.ts';
import { type Roots, RUN } from './roots.ts';
import { makeShm, shmDirectory } from './shm.ts';

export interface StartParts extends MountParts {
  book: ContainerBook;
  files: ContainerFiles;
  layers: LayerStore;
  roots: Roots;
  networks: NetworkService;
  monitor: Monitor;
  cgroups: Cgroups;
  runtimes: ReadonlyMap<string, RuntimeChoice>;
  initPath: string | undefined;
  availableCapabilities: readonly string[];
  defaults: {
    dns: string[];
    dnsSearch: string[];
    dnsOptions: string[];
    ulimits: HostConfig['Ulimits'];
    shmSize: number;
  };
  /** Environment from `--link`. */
  linkEnvironment: (record: ContainerRecord) => string[];
  /** Holds what a reboot clears. */
  execRoot: string;
  log: Logger;
}

/** Everything of a container that must stand before its process: root, network, mounts, spec, and the created process itself. */
export async function prepare(
  container: Container,
  parts: StartParts,
): Promise<{ pid: number; sandbox: SandboxState | undefined }> {
  const { record } = container;
  const { config, host } = record;
  const mode = networkModeOf(host);
  // Values of log options are an error of start, as in Docker.
  if (host.LogConfig?.Type !== 'none') checkLogValues(record);
  const volumePaths = await mountVolumes(record, parts);
  // The overlay and the network do not know each other: both at once.
  const [rootfs, sandbox] = await Promise.all([
    parts.roots.hold(record.id, RUN),
    openNetwork(record, mode, parts).catch((error: unknown) => Promise.reject(networkFailure(error))),
  ]);
  const target = isContainerMode(mode) ? runningTarget(mode, parts, 'network', record.id) : undefined;
  writeFiles(record, mode, sandbox, target, parts);
  const users = accountsOf(rootfs);
  const { home, ...user } = resolveUser(config.User ?? '', host.GroupAdd ?? [], users.passwd, users.group);
  const ownerOf = (name: string) => (name === '' ? user : resolveUser(name, [], users.passwd, users.group));
  const own = await mountSpecs(record, { ...parts, volumePaths, ownerOf });
  const etc = etcMounts(parts.files.directory(target?.id ?? record.id), host.ReadonlyRootfs === true);
  const { mounts, cwd } = placesInRoot(
    rootfs,
    [...etc.filter((mount) => !own.some(({ destination }) => destination === mount.destination)), ...own],
    config.WorkingDir || '/',
  );
  makeMountPoints(rootfs, mounts);
  const security = securityOptions(host.SecurityOpt ?? []);
  const spec = makeSpec({
    id: record.id,
    args: argsOf(config),
    env: environmentOf({
      hostname: config.Hostname ?? '',
      tty: config.Tty === true,
      links: parts.linkEnvironment(record),
      given: config.Env ?? [],
      home,
    }),
    cwd,
    user,
    config,
    host: {
      ...host,
      ShmSize: host.ShmSize || parts.defaults.shmSize,
      ...(security.unmasked ? { MaskedPaths: [], ReadonlyPaths: [] } : {}),
    },
    rootfs,
    hostname: config.Hostname || hostnameOf(target) || '',
    cgroupsPath: record.cgroupsPath,
    cgroupVersion: parts.cgroups.version,
    mounts,
    namespaces: namespaces(record, mode, sandbox, target, parts),
    shmPath: shmOf(record, parts),
    devices: resolveDevices(host),
    seccomp: security.seccomp,
    noNewPrivileges: security.noNewPrivileges,
    writableCgroups: security.writableCgroups ?? host.Privileged === true,
    initPath: host.Init === true ? requireInit(parts.initPath) : undefined,
    rlimits: rlimitsOf(host.Ulimits ?? parts.defaults.ulimits),
    availableCapabilities: parts.availableCapabilities,
  });
  const runtime = parts.runtimes.get(record.runtime);
  if (runtime === undefined) throw invalid(`unknown or invalid runtime name: ${record.runtime}`);
  const { pid } = await parts.monitor.create({
    id: record.id,
    name: record.name,
    spec,
    runtime,
    terminal: config.Tty === true,
    stdin: config.OpenStdin === true,
    stdinOnce: config.StdinOnce === true,
    logPath: host.LogConfig?.Type === 'none' ? undefined : parts.files.logPath(record.id),
  });
  return { pid, sandbox };
}

function openNetwork(record: ContainerRecord, mode: string, parts: StartParts): Promise<SandboxState | undefined> {
  const { config, host } = record;
  if (isContainerMode(mode)) return Promise.resolve(undefined);
  return parts.networks.openSandbox({
    containerId: record.id,
    containerName: record.name,
    hostname: config.Hostname ?? '',
    domainname: config.Domainname ?? '',
    endpoints: config.NetworkDisabled
      ? []
      : Object.entries(record.endpoints).map(([network, settings]) => ({
          network,
          settings: network === 'bridge' && host.Links?.length ? { ...settings, Links: host.Links } : settings,
        })),
    ports: host.PortBindings ?? {},
    // What is no port is passed over, as in Docker: images have ranges and worse.
    exposed: Object.keys(config.ExposedPorts ?? {}).filter(isPort),
    publishAll: host.PublishAllPorts === true,
    sysctls: {},
    dns: dnsOf(host, parts),
    extraHosts: host.ExtraHosts ?? [],
  });
}

function dnsOf(host: HostConfig, { defaults }: StartParts): SandboxRequest['dns'] {
  const or = (own: string[] | undefined, general: string[]) => (own !== undefined && own.length > 0 ? own : general);
  return {
    servers: or(host.Dns, defaults.dns),
    search: or(host.DnsSearch, defaults.dnsSearch),
    options: or(host.DnsOptions, defaults.dnsOptions),
  };
}

/** On the machine's own network there is no sandbox: its files are the machine's, with what the container adds. */
function hostNetworkFiles(host: HostConfig, parts: StartParts): { hosts: string; resolvConf: string } {
  const { hosts, resolvConf } = parts.networks.hostFiles({
    dns: dnsOf(host, parts),
    extraHosts: (host.ExtraHosts ?? []).map((pair) => pair.replace(/[:=]/, ':')),
  });
  return { hosts: `${textOf('/etc/hosts') || hostsText([])}${hostsLines(hosts)}`, resolvConf };
}

/** Hosts, hostname and resolv.conf; a container on another's network uses the other's. */
function writeFiles(
  record: ContainerRecord,
  mode: string,
  sandbox: SandboxState | undefined,
  target: Container | undefined,
  parts: StartParts,
): void {
  if (target !== undefined) return;
  const { files } = parts;
  const { hosts, resolvConf } =
    mode === 'host'
      ? hostNetworkFiles(record.host, parts)
      : {
          hosts: hostsText(sandbox?.hosts ?? []),
          resolvConf: sandbox?.resolvConf ?? textOf('/etc/resolv.conf'),
        };
  files.writeHosts(record.id, hosts);
  files.writeResolvConf(record.id, resolvConf);
  files.writeHostname(record.id, record.config.Hostname ?? '');
}

const hostnameOf = (target: Container | undefined) => target?.record.config.Hostname;

function runningTarget(mode: string, parts: StartParts, what: string, own = ''): Container {
  const name = modeTarget(mode);
  const target = parts.book.find(name);
  if (target === undefined)
    throw notFound(
      `${what === 'network' ? 'joining network namespace of container' : `failed to join ${what} namespace`}: No such container: ${name}`,
    );
  if (target.id === own) throw conflict('cannot join own network namespace');
  if (!target.running)
    throw conflict(
      what === 'network'
        ? `cannot join network namespace of a non running container: container ${target.id} is ${target.state.status}`
        : `failed to join ${what} namespace: container ${target.id} is not running`,
    );
  return target;
}

function namespaces(
  record: ContainerRecord,
  mode: string,
  sandbox: SandboxState | undefined,
  target: Container | undefined,
  parts: StartParts,
) {
  const { host } = record;
  const joined = (kind: string, wanted: string | undefined, file: string): string => {
    if (wanted === 'host') return 'host';
    if (!isContainerMode(wanted)) return wanted === 'none' ? 'none' : 'private';
    const other = runningTarget(wanted!, parts, kind);
    if (kind === 'IPC' && !(other.record.host.IpcMode === 'shareable' || other.record.host.IpcMode === 'host'))
      throw invalid(
        `failed to join IPC namespace: container ${other.id}: non-shareable IPC (hint: use IpcMode:shareable for the donor container)`,
      );
    return `/proc/${other.state.pid}/ns/${file}`;
  };
  const network =
    target === undefined
      ? mode === 'host'
        ? 'host'
        : (sandbox?.netnsPath ?? 'private')
      : `/proc/${target.state.pid}/ns/net`;
  return {
    network,
    ipc: joined('IPC', host.IpcMode, 'ipc'),
    pid: joined('PID', host.PidMode, 'pid'),
    uts: host.UTSMode === 'host' || (mode === 'host' && !record.config.Hostname) ? 'host' : 'private',
    cgroup:
      host.CgroupnsMode === 'private' || (!host.CgroupnsMode && parts.cgroups.version === 2 && !host.Privileged)
        ? 'private'
        : '',
  };
}

function shmOf({ id, host }: ContainerRecord, parts: StartParts): string | undefined {
  if (host.IpcMode === 'host') return '/dev/shm';
  if (host.IpcMode === 'shareable') return makeShm(parts.execRoot, id, host.ShmSize || parts.defaults.shmSize);
  if (!isContainerMode(host.IpcMode)) return undefined;
  const other = runningTarget(host.IpcMode!, parts, 'IPC');
  return other.record.host.IpcMode === 'host' ? '/dev/shm' : shmDirectory(parts.execRoot, other.id);
}

function requireInit(path: string | undefined): string {
  if (path === undefined || !existsSync(path))
    throw invalid('failed to find docker-init: no init binary on this machine (install catatonit or tini)');
  return path;
}
