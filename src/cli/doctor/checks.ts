import { execFile } from 'node:child_process';
import { accessSync, constants, existsSync, readFileSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { humanSize } from '../../common/index.ts';
import { absenceAdvice } from '../connection.ts';
import type { Cli } from '../session.ts';

export interface Finding {
  name: string;
  state: 'good' | 'warning' | 'bad';
  text: string;
  /** What to do about it. */
  advice?: string;
}

const KERNEL = [5, 11];
/** Bytes: less than this is little, and with less than that nothing can be pulled. */
const LOW_SPACE = 2e9;
const FULL = 50e6;
/** The share of a file system's files that should be free. */
const LOW_FILES = 0.02;

/** Looks at this machine and at the daemon; changes nothing. */
export async function runChecks(cli: Cli): Promise<Finding[]> {
  const daemon = await daemonFinding(cli);
  const root = typeof daemon.root === 'string' ? daemon.root : '/var/lib/gantry';
  const rules = await firewall();
  return [
    kernel(),
    filesystem(),
    namespaces(),
    cgroups(),
    seccomp(),
    program('runtime', ['crun', 'runc']),
    program('monitor', ['conmon']),
    program('nftables', ['nft']),
    ...(rules === undefined ? [] : [rules]),
    program('iproute2', ['ip']),
    forwarding(),
    space(root),
    daemon.finding,
  ];
}

const read = (path: string): string => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
};

function kernel(): Finding {
  const release = read('/proc/sys/kernel/osrelease').trim();
  const [major = 0, minor = 0] = release.split('.').map(Number);
  const good = major > KERNEL[0]! || (major === KERNEL[0] && minor >= KERNEL[1]!);
  return good
    ? { name: 'kernel', state: 'good', text: release }
    : {
        name: 'kernel',
        state: 'bad',
        text: `${release} is older than ${KERNEL.join('.')}`,
        advice: 'boot a newer kernel',
      };
}

function filesystem(): Finding {
  if (/\toverlay$/m.test(read('/proc/filesystems'))) return { name: 'overlayfs', state: 'good', text: 'available' };
  return {
    name: 'overlayfs',
    state: 'bad',
    text: 'the kernel does not know it',
    advice: 'modprobe overlay, or a kernel with CONFIG_OVERLAY_FS',
  };
}

function namespaces(): Finding {
  const missing = ['mnt', 'uts', 'ipc', 'net', 'pid', 'cgroup', 'user'].filter(
    (name) => !existsSync(`/proc/self/ns/${name}`),
  );
  if (missing.length === 0) return { name: 'namespaces', state: 'good', text: 'all there' };
  const needed = missing.some((name) => name !== 'user');
  return {
    name: 'namespaces',
    state: needed ? 'bad' : 'warning',
    text: `missing: ${missing.join(', ')}`,
    advice: 'a kernel with CONFIG_NAMESPACES and its kinds',
  };
}

function cgroups(): Finding {
  const mounts = read('/proc/self/mounts');
  const v2 = / \/sys\/fs\/cgroup cgroup2 /.test(mounts);
  const v1 = [...mounts.matchAll(/ \/sys\/fs\/cgroup\/(\S+) cgroup /g)].map((match) => match[1]!);
  if (!v2 && v1.length === 0)
    return {
      name: 'cgroups',
      state: 'bad',
      text: 'no hierarchy is mounted at /sys/fs/cgroup',
      advice: 'mount -t cgroup2 none /sys/fs/cgroup',
    };
  const have = v2
    ? read('/sys/fs/cgroup/cgroup.controllers').trim().split(/\s+/)
    : v1.flatMap((name) => name.split(','));
  const missing = ['cpu', 'memory', 'pids'].filter((name) => !have.includes(name));
  const kind = v2 ? 'v2' : mounts.includes(' cgroup2 ') ? 'v1 and v2 (hybrid)' : 'v1';
  if (missing.length === 0) return { name: 'cgroups', state: 'good', text: kind };
  return {
    name: 'cgroups',
    state: 'warning',
    text: `${kind}, without ${missing.join(', ')}`,
    advice: `limits of these do not work; enable the controllers (cgroup_enable=${missing[0]} on the kernel's command line)`,
  };
}

function seccomp(): Finding {
  if (/^Seccomp_filters?:|^Seccomp:/m.test(read('/proc/self/status')))
    return { name: 'seccomp', state: 'good', text: 'available' };
  return {
    name: 'seccomp',
    state: 'warning',
    text: 'the kernel has no system call filter',
    advice: 'a kernel with CONFIG_SECCOMP_FILTER; containers are less confined without it',
  };
}

/** Where a program is, looking also where root's programs are. */
function findProgram(choices: readonly string[]): string | undefined {
  const directories = `${process.env.PATH ?? ''}:/usr/sbin:/sbin:/usr/local/sbin`.split(':');
  return choices
    .flatMap((choice) => directories.map((directory) => join(directory, choice)))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

function program(name: string, choices: readonly string[]): Finding {
  const path = findProgram(choices);
  if (path !== undefined) return { name, state: 'good', text: path };
  const all = choices.join(' or ');
  return { name, state: 'bad', text: `${all} is not in the path`, advice: `install ${all} with the system's packages` };
}

const runProgram = (file: string, args: readonly string[]): Promise<string | undefined> =>
  new Promise((resolve) => {
    execFile(file, args, { timeout: 10_000 }, (error, _stdout, stderr) =>
      resolve(error ? stderr.trim() || error.message : undefined),
    );
  });

/** Whether the kernel takes rules; nothing where the program for it is not there, which is said elsewhere. */
async function firewall(): Promise<Finding | undefined> {
  const path = findProgram(['nft']);
  if (path === undefined) return undefined;
  if (process.getuid?.() !== 0)
    return {
      name: 'firewall',
      state: 'warning',
      text: 'not checked',
      advice: 'run as root to check that nftables works',
    };
  const failure = await runProgram(path, ['list', 'tables']);
  if (failure === undefined) return { name: 'firewall', state: 'good', text: 'nftables answers' };
  return {
    name: 'firewall',
    state: 'bad',
    text: failure.split('\n')[0]!,
    advice: 'a kernel with CONFIG_NF_TABLES; published ports and outbound traffic need it',
  };
}

function forwarding(): Finding {
  if (read('/proc/sys/net/ipv4/ip_forward').trim() === '1')
    return { name: 'forwarding', state: 'good', text: 'IPv4 forwarding is on' };
  return {
    name: 'forwarding',
    state: 'warning',
    text: 'IPv4 forwarding is off',
    advice: 'gantryd turns it on when it starts; otherwise sysctl -w net.ipv4.ip_forward=1',
  };
}

function space(root: string): Finding {
  let path = root;
  while (!existsSync(path)) path = join(path, '..');
  const { bavail, bsize, files, ffree } = statfsSync(path);
  const free = bavail * bsize;
  const text = `${humanSize(free)} free below ${root}`;
  const advice = 'gantry system df shows what takes it, gantry system prune frees it';
  if (free < FULL) return { name: 'disk space', state: 'bad', text, advice };
  // Some file systems do not count their files.
  if (files > 0 && ffree < files * LOW_FILES)
    return { name: 'disk space', state: 'warning', text: `${ffree} more files can be made below ${root}`, advice };
  return free < LOW_SPACE
    ? { name: 'disk space', state: 'warning', text, advice }
    : { name: 'disk space', state: 'good', text };
}

async function daemonFinding(cli: Cli): Promise<{ finding: Finding; root?: unknown }> {
  const { host } = cli.connection;
  try {
    const info = await (await cli.client()).system.info();
    const warnings = (info.Warnings as string[] | null) ?? [];
    const elsewhere = host.startsWith('unix:') ? '' : "; what is said above is of this machine, not of the daemon's";
    const text = `${info.ServerVersion} answers at ${host}, runtime ${info.DefaultRuntime}${elsewhere}`;
    if (warnings.length === 0) return { finding: { name: 'daemon', state: 'good', text }, root: info.DockerRootDir };
    return {
      finding: { name: 'daemon', state: 'warning', text, advice: warnings.join('; ') },
      root: info.DockerRootDir,
    };
  } catch (error) {
    return {
      finding: {
        name: 'daemon',
        state: 'warning',
        text: (error as Error).message,
        advice: absenceAdvice(cli.globals, cli.env, cli.config) ?? 'look at the address that -H names',
      },
    };
  }
}
