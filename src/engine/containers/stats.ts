import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { setTimeout } from 'node:timers/promises';
import { nowText, ZERO_TIME } from '../../common/index.ts';
import type { NetworkService } from '../../network/index.ts';
import type { CgroupStats, Cgroups } from '../../runtime/index.ts';
import type { Container, ContainerBook } from './book.ts';
import { isContainerMode, modeTarget, networkModeOf } from './configure.ts';

export interface StatsParts {
  cgroups: Cgroups;
  networks: NetworkService;
  book: ContainerBook;
}

/** All CPU time of the machine in nanoseconds, from /proc/stat (moby daemon/stats getSystemCPUUsage). */
function systemCpuNs(): number {
  const [, ...fields] = (readFileSync('/proc/stat', 'utf8').split('\n')[0] ?? '').trim().split(/\s+/);
  return fields.slice(0, 7).reduce((sum, text) => sum + Number(text), 0) * 1e7;
}

/** What Docker shows for no limit; more than a number holds exactly, so it goes into JSON as it stands. */
const NO_LIMIT = (JSON as unknown as { rawJSON(text: string): number }).rawJSON('18446744073709551615');

interface CpuAnswer {
  cpu_usage: { total_usage: number; percpu_usage?: number[]; usage_in_kernelmode: number; usage_in_usermode: number };
  system_cpu_usage?: number;
  online_cpus?: number;
  throttling_data: { periods: number; throttled_periods: number; throttled_time: number };
}
const NO_CPU: CpuAnswer = {
  cpu_usage: { total_usage: 0, usage_in_kernelmode: 0, usage_in_usermode: 0 },
  throttling_data: { periods: 0, throttled_periods: 0, throttled_time: 0 },
};

const cpuAnswer = ({ cpu }: CgroupStats): CpuAnswer => ({
  cpu_usage: {
    total_usage: cpu.totalNs,
    ...(cpu.perCpuNs === undefined ? {} : { percpu_usage: cpu.perCpuNs }),
    usage_in_kernelmode: cpu.systemNs,
    usage_in_usermode: cpu.userNs,
  },
  system_cpu_usage: systemCpuNs(),
  online_cpus: availableParallelism(),
  throttling_data: { periods: cpu.periods, throttled_periods: cpu.throttledPeriods, throttled_time: cpu.throttledNs },
});

const EMPTY_BLKIO = {
  io_service_bytes_recursive: null,
  io_serviced_recursive: null,
  io_queue_recursive: null,
  io_service_time_recursive: null,
  io_wait_time_recursive: null,
  io_merged_recursive: null,
  io_time_recursive: null,
  sectors_recursive: null,
};

/** Whose network a container is on. */
function networkHolder({ id, record }: Container, book: ContainerBook): string {
  const mode = networkModeOf(record.host);
  return isContainerMode(mode) ? (book.find(modeTarget(mode))?.id ?? id) : id;
}

/** What stands before and after the processor's part of an answer, in Docker's order of fields. */
async function sample(container: Container, { cgroups, networks, book }: StatsParts) {
  const { record } = container;
  const read = nowText();
  const head = { id: record.id, name: `/${record.name}`, read };
  if (!container.running)
    return {
      ...head,
      read: ZERO_TIME,
      cpu: NO_CPU,
      before: { pids_stats: {}, blkio_stats: EMPTY_BLKIO, num_procs: 0, storage_stats: {} },
      after: { memory_stats: {} },
    };
  const [stats, counters] = await Promise.all([
    cgroups.stats(record.cgroupsPath),
    networks.counters(networkHolder(container, book)).catch(() => ({})),
  ]);
  return {
    ...head,
    cpu: cpuAnswer(stats),
    before: {
      pids_stats: {
        current: stats.pids.current,
        ...(stats.pids.limit === undefined ? { limit: NO_LIMIT } : { limit: stats.pids.limit }),
      },
      blkio_stats: { ...EMPTY_BLKIO, ...stats.blkio },
      num_procs: 0,
      storage_stats: {},
    },
    after: {
      memory_stats: {
        usage: stats.memory.usage,
        ...(stats.memory.maxUsage === undefined ? {} : { max_usage: stats.memory.maxUsage }),
        stats: stats.memory.stats,
        ...(stats.memory.failcnt ? { failcnt: stats.memory.failcnt } : {}),
        limit: stats.memory.limit,
      },
      ...(Object.keys(counters).length === 0 ? {} : { networks: counters }),
    },
  };
}

/** Ends early, without an error, when the client leaves. */
const pause = (ms: number, signal: AbortSignal) => setTimeout(ms, undefined, { signal }).catch(() => {});

/** `GET /containers/{id}/stats`: the API's JSON, one a second; each with the sample before it. The stream ends with the container. */
export async function* statsOf(
  container: Container,
  options: { stream: boolean; oneShot: boolean; signal: AbortSignal },
  parts: StatsParts,
): AsyncGenerator<Record<string, unknown>> {
  let previous = { read: ZERO_TIME, cpu: NO_CPU };
  if (!options.stream && !options.oneShot && container.running) {
    previous = await sample(container, parts);
    await pause(1000, options.signal);
  }
  for (;;) {
    if (options.signal.aborted) return;
    const current = await sample(container, parts);
    yield {
      name: current.name,
      id: current.id,
      read: current.read,
      preread: previous.read,
      ...current.before,
      cpu_stats: current.cpu,
      precpu_stats: previous.cpu,
      ...current.after,
    };
    if (!options.stream) return;
    previous = current;
    await pause(1000, options.signal);
    if (!parts.book.has(container.id)) return;
  }
}
