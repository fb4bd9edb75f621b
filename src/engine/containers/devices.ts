import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { EngineError, invalid } from '../../common/index.ts';
import type { DeviceNode } from '../../runtime/index.ts';
import type { HostConfig } from '../../wire/index.ts';

const major = (rdev: number) => (rdev >>> 8) & 0xfff;
const minor = (rdev: number) => (rdev & 0xff) | ((rdev >>> 12) & 0xfff00);

function node(hostPath: string, path: string, access: string): DeviceNode | undefined {
  const info = statSync(hostPath);
  if (!info.isCharacterDevice() && !info.isBlockDevice()) return undefined;
  return {
    path,
    type: info.isCharacterDevice() ? 'c' : 'b',
    major: major(info.rdev),
    minor: minor(info.rdev),
    fileMode: info.mode & 0o777,
    uid: info.uid,
    gid: info.gid,
    access,
  };
}

function tree(hostPath: string, path: string, access: string, skip: ReadonlySet<string> = new Set()): DeviceNode[] {
  return readdirSync(hostPath, { withFileTypes: true }).flatMap((entry) => {
    const from = join(hostPath, entry.name);
    if (skip.has(from)) return [];
    if (entry.isDirectory()) return tree(from, join(path, entry.name), access, skip);
    const found =
      entry.isCharacterDevice() || entry.isBlockDevice() ? node(from, join(path, entry.name), access) : undefined;
    return found === undefined ? [] : [found];
  });
}

/** Nodes that a runtime makes itself. */
const OWN = new Set([
  '/dev/pts',
  '/dev/shm',
  '/dev/fd',
  '/dev/mqueue',
  '/dev/console',
  '/dev/null',
  '/dev/zero',
  '/dev/full',
  '/dev/tty',
  '/dev/random',
  '/dev/urandom',
  '/dev/ptmx',
  '/dev/.lxc',
  '/dev/.lxd-mounts',
  '/dev/.udev',
]);

/** `--device` and, for a privileged container, all of the machine's. */
export function resolveDevices(host: HostConfig): DeviceNode[] {
  if (host.Privileged) return tree('/dev', '/dev', 'rwm', OWN);
  return (host.Devices ?? []).flatMap(
    ({ PathOnHost: from = '', PathInContainer: to = '', CgroupPermissions: access = '' }) => {
      const permissions = access || 'rwm';
      if (!/^[rwm]{1,3}$/.test(permissions)) throw invalid(`invalid device mode: ${permissions}`);
      const target = to || from;
      try {
        if (statSync(from).isDirectory()) return tree(from, target, permissions);
        const found = node(from, target, permissions);
        if (found !== undefined) return [found];
      } catch (error) {
        if (error instanceof EngineError) throw error;
        throw invalid(
          `error gathering device information while adding custom device "${from}": no such file or directory`,
        );
      }
      throw invalid(`error gathering device information while adding custom device "${from}": not a device node`);
    },
  );
}

const NAMES = new Set([
  'core',
  'cpu',
  'data',
  'fsize',
  'locks',
  'memlock',
  'msgqueue',
  'nice',
  'nofile',
  'nproc',
  'rss',
  'rtprio',
  'rttime',
  'sigpending',
  'stack',
]);

/** RLIM_INFINITY. It is more than a number holds exactly, so it goes into JSON as it stands. */
const UNLIMITED = (JSON as unknown as { rawJSON(text: string): number }).rawJSON('18446744073709551615');

/** `--ulimit` as OCI rlimits; -1 is unlimited. */
export function rlimitsOf(list: HostConfig['Ulimits']): { type: string; soft: number; hard: number }[] {
  const value = (number: number) => (number === -1 ? UNLIMITED : number);
  return (list ?? []).map(({ Name, Soft, Hard }) => {
    if (!NAMES.has(Name)) throw invalid(`invalid ulimit type: ${Name}`);
    if (Hard !== -1 && Soft > Hard)
      throw invalid(`ulimit soft limit must be less than or equal to hard limit: ${Soft} > ${Hard}`);
    return { type: `RLIMIT_${Name.toUpperCase()}`, soft: value(Soft), hard: value(Hard) };
  });
}

/** The capabilities that this process may pass on, by capabilities(7) names in bit order. */
export function availableCapabilities(all: readonly string[]): string[] {
  const mask = BigInt(`0x${/CapBnd:\s*([0-9a-f]+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0'}`);
  return all.filter((_, bit) => ((mask >> BigInt(bit)) & 1n) === 1n);
}
