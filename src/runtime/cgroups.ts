import { existsSync, readFileSync } from 'node:fs';
import { readdir, readFile, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { limitsOfVersion1, limitsOfVersion2 } from './kernel-limits.ts';
import type { CgroupStats, Cgroups } from './types.ts';

const number = (text: string | undefined): number =>
  text === undefined || text.trim() === 'max' ? 0 : Number(text.trim()) || 0;
const read = (path: string): Promise<string | undefined> => readFile(path, 'utf8').catch(() => undefined);
const pairs = (text: string | undefined): Record<string, number> =>
  Object.fromEntries(
    (text ?? '')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => {
        const [key = '', value = ''] = line.split(' ');
        return [key, Number(value)];
      }),
  );

/** Docker's memory limit without a limit: what the machine has. */
const machineMemory = () => Number(/MemTotal:\s+(\d+)/.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1] ?? 0) * 1024;
/** The kernel's "no limit" in v1 (PAGE_COUNTER_MAX), as bytes. */
const UNLIMITED = 2 ** 60;

/** Finds out once how this machine's cgroups are laid out: v1, v2, or v1 beside a v2 that holds few controllers. */
export function openCgroups(root = '/sys/fs/cgroup', defaultParent = '/gantry'): Cgroups {
  const unified = existsSync(join(root, 'cgroup.controllers'));
  const base = {
    hybrid: !unified && existsSync(join(root, 'unified/cgroup.controllers')),
    pathFor: (id: string, parent: string | undefined) =>
      `${parent === undefined || parent === '' ? defaultParent : parent.startsWith('/') ? parent : `/${parent}`}/${id}`,
  };
  if (unified) {
    const controllers = new Set(readFileSync(join(root, 'cgroup.controllers'), 'utf8').trim().split(' '));
    return { ...base, version: 2, controllers, limits: limitsOfVersion2(root, controllers), ...version2(root) };
  }
  const controllers = new Set(
    readFileSync('/proc/cgroups', 'utf8')
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line) => line.split('\t')[0] ?? '')
      .filter((name) => existsSync(join(root, name))),
  );
  return { ...base, version: 1, controllers, limits: limitsOfVersion1(root), ...version1(root) };
}

type Readers = Pick<Cgroups, 'stats' | 'oomKills' | 'remove' | 'removeEmpty'>;

async function removeTree(path: string): Promise<void> {
  const names = await readdir(path, { withFileTypes: true }).catch(() => []);
  for (const entry of names) if (entry.isDirectory()) await removeTree(join(path, entry.name));
  await rmdir(path).catch(() => {});
}

/** Documentation/admin-guide/cgroup-v1. */
function version1(root: string): Readers {
  return {
    async stats(path) {
      const file = (controller: string, name: string) => read(join(root, controller, path, name));
      const [usage, perCpu, cpuStat, acct, memory, max, limit, failcnt, stat, pids, pidsMax] = await Promise.all([
        file('cpuacct', 'cpuacct.usage'),
        file('cpuacct', 'cpuacct.usage_percpu'),
        file('cpu', 'cpu.stat'),
        file('cpuacct', 'cpuacct.stat'),
        file('memory', 'memory.usage_in_bytes'),
        file('memory', 'memory.max_usage_in_bytes'),
        file('memory', 'memory.limit_in_bytes'),
        file('memory', 'memory.failcnt'),
        file('memory', 'memory.stat'),
        file('pids', 'pids.current'),
        file('pids', 'pids.max'),
      ]);
      const throttled = pairs(cpuStat);
      const ticks = pairs(acct);
      const bytes = await file('blkio', 'blkio.throttle.io_service_bytes_recursive');
      const operations = await file('blkio', 'blkio.throttle.io_serviced_recursive');
      const cap = number(limit);
      return {
        cpu: {
          totalNs: number(usage),
          userNs: (ticks.user ?? 0) * 1e7,
          systemNs: (ticks.system ?? 0) * 1e7,
          perCpuNs: perCpu?.trim().split(/\s+/).map(Number),
          periods: throttled.nr_periods ?? 0,
          throttledPeriods: throttled.nr_throttled ?? 0,
          throttledNs: throttled.throttled_time ?? 0,
        },
        memory: {
          usage: number(memory),
          maxUsage: number(max),
          limit: cap === 0 || cap > UNLIMITED ? machineMemory() : cap,
          failcnt: number(failcnt),
          stats: pairs(stat),
        },
        pids: { current: number(pids), limit: number(pidsMax) || undefined },
        // Lists of schedulers that are gone from kernels stay empty.
        blkio: {
          ...Object.fromEntries(BLKIO_LISTS.map((list) => [list, []])),
          io_service_bytes_recursive: blkio(bytes),
          io_serviced_recursive: blkio(operations),
        },
      } satisfies CgroupStats;
    },
    async oomKills(path) {
      return pairs(await read(join(root, 'memory', path, 'memory.oom_control'))).oom_kill ?? 0;
    },
    async remove(path) {
      for (const controller of await readdir(root)) await removeTree(join(root, controller, path));
    },
    async removeEmpty(path) {
      for (const controller of await readdir(root)) await rmdir(join(root, controller, path)).catch(() => {});
    },
  };
}

const BLKIO_LISTS = [
  'io_queue_recursive',
  'io_service_time_recursive',
  'io_wait_time_recursive',
  'io_merged_recursive',
  'io_time_recursive',
  'sectors_recursive',
];

/** `8:0 Read 123` */
function blkio(text: string | undefined): { major: number; minor: number; op: string; value: number }[] {
  return (text ?? '').split('\n').flatMap((line) => {
    const match = /^(\d+):(\d+) (\w+) (\d+)$/.exec(line);
    return match === null
      ? []
      : [{ major: Number(match[1]), minor: Number(match[2]), op: match[3]!, value: Number(match[4]) }];
  });
}

/** Documentation/admin-guide/cgroup-v2.rst. */
function version2(root: string): Readers {
  return {
    async stats(path) {
      const file = (name: string) => read(join(root, path, name));
      const [cpu, memory, peak, limit, stat, pids, pidsMax, io] = await Promise.all(
        [
          'cpu.stat',
          'memory.current',
          'memory.peak',
          'memory.max',
          'memory.stat',
          'pids.current',
          'pids.max',
          'io.stat',
        ].map(file),
      );
      const times = pairs(cpu);
      const service: CgroupStats['blkio'][string] = [];
      for (const line of (io ?? '').split('\n')) {
        const match = /^(\d+):(\d+) (.*)$/.exec(line);
        if (match === null) continue;
        const values = Object.fromEntries(match[3]!.split(' ').map((pair) => pair.split('=') as [string, string]));
        for (const [op, key] of [
          ['read', 'rbytes'],
          ['write', 'wbytes'],
        ] as const)
          service.push({ major: Number(match[1]), minor: Number(match[2]), op, value: Number(values[key] ?? 0) });
      }
      return {
        cpu: {
          totalNs: (times.usage_usec ?? 0) * 1000,
          userNs: (times.user_usec ?? 0) * 1000,
          systemNs: (times.system_usec ?? 0) * 1000,
          periods: times.nr_periods ?? 0,
          throttledPeriods: times.nr_throttled ?? 0,
          throttledNs: (times.throttled_usec ?? 0) * 1000,
        },
        memory: {
          usage: number(memory),
          maxUsage: number(peak),
          limit: number(limit) || machineMemory(),
          stats: pairs(stat),
        },
        pids: { current: number(pids), limit: number(pidsMax) || undefined },
        // Of the other lists version 2 knows nothing.
        blkio: { ...(service.length > 0 && { io_service_bytes_recursive: service }) },
      } satisfies CgroupStats;
    },
    async oomKills(path) {
      return pairs(await read(join(root, path, 'memory.events'))).oom_kill ?? 0;
    },
    remove: (path) => removeTree(join(root, path)),
    removeEmpty: (path) => rmdir(join(root, path)).catch(() => {}),
  };
}
