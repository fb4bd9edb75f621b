import { internal } from '../common/index.ts';
import type { ContainerConfig, HostConfig } from '../wire/index.ts';
import { tweakCapabilities } from './capabilities.ts';
import { resourcesOf } from './resources.ts';
import { seccompFor } from './seccomp.ts';
import type { OciSpec } from './types.ts';

/** moby oci/defaults.go. */
export const MASKED_PATHS = [
  '/proc/asound',
  '/proc/acpi',
  '/proc/interrupts',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/proc/sched_debug',
  '/proc/scsi',
  '/sys/firmware',
  '/sys/devices/virtual/powercap',
];
export const READONLY_PATHS = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'];
export const DEFAULT_PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

export interface SpecMount {
  destination: string;
  type: string;
  source: string;
  options: string[];
}

export interface DeviceNode {
  path: string;
  type: 'c' | 'b';
  major: number;
  minor: number;
  fileMode: number;
  uid: number;
  gid: number;
  access: string;
}

export interface SpecInput {
  id: string;
  args: string[];
  env: string[];
  cwd: string;
  user: { uid: number; gid: number; additionalGids: number[] };
  config: ContainerConfig;
  host: HostConfig;
  rootfs: string;
  hostname: string;
  cgroupsPath: string;
  cgroupVersion: 1 | 2;
  /** Volumes, binds and the files of /etc, in order of mounting. */
  mounts: SpecMount[];
  /** Namespaces to join or leave out: a path joins, `host` shares the machine's, `private` makes one, `none` for ipc without /dev/shm. */
  namespaces: { network: string; ipc: string; pid: string; uts: string; cgroup: string };
  /** Directory bound at /dev/shm (shareable ipc), or undefined for a tmpfs of its own. */
  shmPath: string | undefined;
  devices: DeviceNode[];
  /** Docker's profile text, `unconfined`, or undefined for the default. */
  seccomp: string | undefined;
  noNewPrivileges: boolean;
  writableCgroups: boolean;
  /** Program of `--init`, bound at /sbin/docker-init. */
  initPath: string | undefined;
  rlimits: { type: string; soft: number; hard: number }[];
  availableCapabilities: readonly string[];
}

const NAMESPACES = { network: 'network', ipc: 'ipc', pid: 'pid', uts: 'uts', cgroup: 'cgroup' } as const;

function defaultMounts(input: SpecInput, privileged: boolean): SpecMount[] {
  const writable = privileged ? 'rw' : 'ro';
  const list: SpecMount[] = [
    { destination: '/proc', type: 'proc', source: 'proc', options: ['nosuid', 'noexec', 'nodev'] },
    {
      destination: '/dev',
      type: 'tmpfs',
      source: 'tmpfs',
      options: ['nosuid', 'strictatime', 'mode=755', 'size=65536k'],
    },
    {
      destination: '/dev/pts',
      type: 'devpts',
      source: 'devpts',
      options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5'],
    },
    { destination: '/sys', type: 'sysfs', source: 'sysfs', options: ['nosuid', 'noexec', 'nodev', writable] },
    {
      destination: '/sys/fs/cgroup',
      type: 'cgroup',
      source: 'cgroup',
      options: [input.writableCgroups ? 'rw' : 'ro', 'nosuid', 'noexec', 'nodev'],
    },
    { destination: '/dev/mqueue', type: 'mqueue', source: 'mqueue', options: ['nosuid', 'noexec', 'nodev'] },
  ];
  if (input.shmPath !== undefined)
    list.push({ destination: '/dev/shm', type: 'bind', source: input.shmPath, options: ['rbind', 'rprivate'] });
  else if (input.namespaces.ipc !== 'none')
    list.push({
      destination: '/dev/shm',
      type: 'tmpfs',
      source: 'shm',
      options: ['nosuid', 'noexec', 'nodev', 'mode=1777', `size=${input.host.ShmSize || 67108864}`],
    });
  return list;
}

/** OCI runtime-spec config.json as dockerd 28 writes it for the same configuration. Pure. */
export function makeSpec(input: SpecInput): OciSpec {
  const { host, config } = input;
  const privileged = host.Privileged === true;
  const capabilities = tweakCapabilities(
    host.CapAdd ?? [],
    host.CapDrop ?? [],
    privileged,
    input.availableCapabilities,
  );
  // A process that is not root has nothing effective, as after execve by such a user.
  const held = input.user.uid === 0 ? capabilities : [];
  // A profile that was asked for holds for a privileged container too; only the default one does not.
  const unconfined = input.seccomp === 'unconfined' || (privileged && input.seccomp === undefined);
  const seccomp = unconfined ? undefined : seccompFor(input.seccomp, capabilities);
  const namespaces: { type: string; path?: string }[] = [{ type: 'mount' }];
  for (const [kind, value] of Object.entries(input.namespaces)) {
    if (value === 'host' || (kind === 'cgroup' && value === '')) continue;
    const type = NAMESPACES[kind as keyof typeof NAMESPACES];
    namespaces.push(value.startsWith('/') ? { type, path: value } : { type });
  }
  const ownNetwork = input.namespaces.network !== 'host';
  const sysctl: Record<string, string> = {};
  if (ownNetwork && !privileged)
    Object.assign(sysctl, { 'net.ipv4.ip_unprivileged_port_start': '0', 'net.ipv4.ping_group_range': '0 2147483647' });
  if ((config.Domainname ?? '') !== '' && input.namespaces.uts !== 'host')
    sysctl['kernel.domainname'] = config.Domainname!;
  Object.assign(sysctl, host.Sysctls);
  const mounts = [
    ...defaultMounts(input, privileged).filter(
      (mount) => !input.mounts.some((own) => own.destination === mount.destination),
    ),
    ...input.mounts,
  ];
  if (input.initPath !== undefined)
    mounts.push({ destination: '/sbin/docker-init', type: 'bind', source: input.initPath, options: ['bind', 'ro'] });
  return {
    ociVersion: '1.0.2',
    process: {
      terminal: config.Tty === true,
      ...(config.Tty === true && host.ConsoleSize?.[0]
        ? { consoleSize: { height: host.ConsoleSize[0], width: host.ConsoleSize[1] ?? 80 } }
        : {}),
      user: input.user,
      args: input.initPath === undefined ? input.args : ['/sbin/docker-init', '--', ...input.args],
      env: input.env,
      cwd: input.cwd,
      capabilities: { bounding: capabilities, effective: held, permitted: held },
      ...(input.rlimits.length > 0 ? { rlimits: input.rlimits } : {}),
      noNewPrivileges: input.noNewPrivileges,
      oomScoreAdj: host.OomScoreAdj ?? 0,
    },
    root: { path: input.rootfs, readonly: host.ReadonlyRootfs === true },
    ...(input.namespaces.uts === 'host' ? {} : { hostname: input.hostname }),
    mounts,
    ...(host.Annotations === undefined ? {} : { annotations: host.Annotations }),
    linux: {
      sysctl,
      resources: {
        devices: deviceRules(input, privileged),
        ...resourcesOf(host, input.cgroupVersion),
      },
      cgroupsPath: input.cgroupsPath,
      namespaces,
      ...(input.devices.length > 0 ? { devices: input.devices.map(({ access: _access, ...node }) => node) } : {}),
      ...(seccomp === undefined ? {} : { seccomp }),
      maskedPaths: privileged ? [] : (host.MaskedPaths ?? MASKED_PATHS),
      readonlyPaths: privileged ? [] : (host.ReadonlyPaths ?? READONLY_PATHS),
      rootfsPropagation: input.mounts.some((mount) => mount.options.some((option) => option.endsWith('shared')))
        ? 'shared'
        : input.mounts.some((mount) => mount.options.some((option) => option.endsWith('slave')))
          ? 'slave'
          : undefined,
    },
  };
}

type Rule = { allow: boolean; type?: string; major?: number; minor?: number; access: string };

function deviceRules(input: SpecInput, privileged: boolean): Rule[] {
  if (privileged) return [{ allow: true, access: 'rwm' }];
  const rules: Rule[] = [{ allow: false, access: 'rwm' }];
  for (const [major, minor] of [
    [1, 5],
    [1, 3],
    [1, 9],
    [1, 8],
    [5, 0],
    [5, 1],
  ] as const)
    rules.push({ allow: true, type: 'c', major, minor, access: 'rwm' });
  for (const { type, major, minor, access } of input.devices) rules.push({ allow: true, type, major, minor, access });
  for (const text of input.host.DeviceCgroupRules ?? []) {
    const match = /^([acb]) (\d+|\*):(\d+|\*) ([rwm]{1,3})$/.exec(text);
    // Docker's create takes any text; its start refuses.
    if (match === null) throw internal(`invalid device cgroup rule format: '${text}'`);
    const [, type, major, minor, access = ''] = match;
    rules.push({
      allow: true,
      type,
      ...(major === '*' ? {} : { major: Number(major) }),
      ...(minor === '*' ? {} : { minor: Number(minor) }),
      access,
    });
  }
  return rules;
}
