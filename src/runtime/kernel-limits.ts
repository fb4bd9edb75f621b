import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** What a kernel may limit; each is there or not by its build, its command line and its version of cgroups. */
export type Limit =
  | 'memory'
  | 'swap'
  | 'reservation'
  | 'swappiness'
  | 'oom-kill'
  | 'pids'
  | 'shares'
  | 'quota'
  | 'realtime'
  | 'cpuset'
  | 'io'
  | 'io-weight'
  | 'io-weight-device';

/** Documentation/admin-guide/cgroup-v1: the file that is there where the limit is. */
const VERSION_1: Record<Limit, string> = {
  memory: 'memory/memory.limit_in_bytes',
  swap: 'memory/memory.memsw.limit_in_bytes',
  reservation: 'memory/memory.soft_limit_in_bytes',
  swappiness: 'memory/memory.swappiness',
  'oom-kill': 'memory/memory.oom_control',
  pids: 'pids',
  shares: 'cpu/cpu.shares',
  quota: 'cpu/cpu.cfs_quota_us',
  realtime: 'cpu/cpu.rt_runtime_us',
  cpuset: 'cpuset/cpuset.cpus',
  io: 'blkio/blkio.throttle.read_bps_device',
  'io-weight': 'blkio/blkio.weight',
  'io-weight-device': 'blkio/blkio.weight_device',
};

/** Documentation/admin-guide/cgroup-v2.rst: the controller that has the limit. */
const VERSION_2: Partial<Record<Limit, string>> = {
  memory: 'memory',
  reservation: 'memory',
  pids: 'pids',
  shares: 'cpu',
  quota: 'cpu',
  cpuset: 'cpuset',
  io: 'io',
  'io-weight': 'io',
  'io-weight-device': 'io',
};

export function limitsOfVersion1(root: string): ReadonlySet<Limit> {
  return new Set(keys(VERSION_1).filter((limit) => existsSync(join(root, VERSION_1[limit]))));
}

export function limitsOfVersion2(root: string, controllers: ReadonlySet<string>): ReadonlySet<Limit> {
  const limits = new Set(keys(VERSION_2).filter((limit) => controllers.has(VERSION_2[limit] ?? '')));
  // The root has no such file; without any group below it there is no telling.
  const groups = readdirSync(root, { withFileTypes: true }).filter(
    (entry) => entry.isDirectory() && existsSync(join(root, entry.name, 'memory.current')),
  );
  if (limits.has('memory') && groups.every(({ name }) => existsSync(join(root, name, 'memory.swap.max'))))
    limits.add('swap');
  return limits;
}

const keys = <K extends string>(table: Partial<Record<K, string>>): K[] => Object.keys(table) as K[];
