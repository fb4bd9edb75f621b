import type { StatsAnswer } from '../client/index.ts';

/** What one sample says, in the numbers that people read. Bytes; percents of one CPU times a hundred. */
export interface Usage {
  cpuPercent: number;
  memory: number;
  memoryLimit: number;
  memoryPercent: number;
  received: number;
  sent: number;
  read: number;
  written: number;
  pids: number;
}

/** docker/cli container/stats_helpers.go. */
export function usageOf(sample: StatsAnswer): Usage {
  const cpu = sample.cpu_stats;
  const before = sample.precpu_stats;
  const cpuDelta = (cpu?.cpu_usage.total_usage ?? 0) - (before?.cpu_usage.total_usage ?? 0);
  const systemDelta = (cpu?.system_cpu_usage ?? 0) - (before?.system_cpu_usage ?? 0);
  const cpus = cpu?.online_cpus || cpu?.cpu_usage.percpu_usage?.length || 0;
  const cpuPercent = cpuDelta > 0 && systemDelta > 0 ? (cpuDelta / systemDelta) * cpus * 100 : 0;
  const stats = sample.memory_stats?.stats ?? {};
  const total = sample.memory_stats?.usage ?? 0;
  // The page cache that can be dropped at once does not count: its name differs between cgroup v1 and v2.
  const cache = stats.total_inactive_file ?? stats.inactive_file ?? 0;
  const memory = cache < total ? total - cache : total;
  const memoryLimit = sample.memory_stats?.limit ?? 0;
  let [received, sent, read, written] = [0, 0, 0, 0];
  for (const network of Object.values(sample.networks ?? {})) {
    received += network.rx_bytes;
    sent += network.tx_bytes;
  }
  for (const { op, value } of sample.blkio_stats?.io_service_bytes_recursive ?? []) {
    if (/^r/i.test(op)) read += value;
    else if (/^w/i.test(op)) written += value;
  }
  return {
    cpuPercent,
    memory,
    memoryLimit,
    memoryPercent: memoryLimit > 0 ? (memory / memoryLimit) * 100 : 0,
    received,
    sent,
    read,
    written,
    pids: sample.pids_stats?.current ?? 0,
  };
}
