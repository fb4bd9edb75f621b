import { statSync } from 'node:fs';
import { invalid } from '../common/index.ts';
import type { Resources } from '../wire/index.ts';

/** What is set: Docker's nought means that it is not. */
const pick = (entries: Record<string, unknown>): Record<string, unknown> | undefined => {
  const set = Object.entries(entries).filter(([, value]) => value !== undefined && value !== 0 && value !== '');
  return set.length === 0 ? undefined : Object.fromEntries(set);
};

const numbersOf = (path: string) => {
  const rdev = statSync(path, { throwIfNoEntry: false })?.rdev;
  if (rdev === undefined) throw invalid(`stat ${path}: no such file or directory`);
  return { major: (rdev >>> 8) & 0xfff, minor: (rdev & 0xff) | ((rdev >>> 12) & 0xfff00) };
};
const throttle = (list: Resources['BlkioDeviceReadBps']) =>
  list?.map(({ Path, Rate }) => ({ ...numbersOf(Path), rate: Rate }));
const weights = (list: Resources['BlkioWeightDevice']) =>
  list?.map(({ Path, Weight }) => ({ ...numbersOf(Path), weight: Weight }));

/** Linux has no higher process id (PID_MAX_LIMIT). crun 1.8 writes -1 as it is, which the kernel refuses. */
const NO_PIDS_LIMIT = 4_194_304;

/** OCI linux.resources (without devices) from the API's. Bytes, microseconds. */
export function resourcesOf(host: Resources, cgroupVersion: 1 | 2): Record<string, unknown> {
  const period = host.NanoCpus ? 100_000 : host.CpuPeriod;
  const quota = host.NanoCpus ? Math.round(host.NanoCpus / 10_000) : host.CpuQuota;
  const memory = pick({
    limit: host.Memory,
    reservation: host.MemoryReservation,
    swap: host.MemorySwap,
    disableOOMKiller: cgroupVersion === 1 && host.OomKillDisable === true ? true : undefined,
  });
  // Nought is a value here.
  const swappiness =
    cgroupVersion === 1 && host.MemorySwappiness !== undefined && host.MemorySwappiness !== -1
      ? { swappiness: host.MemorySwappiness }
      : undefined;
  const cpu = pick({
    shares: host.CpuShares,
    period,
    quota,
    cpus: host.CpusetCpus,
    mems: host.CpusetMems,
    realtimePeriod: host.CpuRealtimePeriod,
    realtimeRuntime: host.CpuRealtimeRuntime,
  });
  const blockIO = pick({
    weight: host.BlkioWeight,
    weightDevice: weights(host.BlkioWeightDevice),
    throttleReadBpsDevice: throttle(host.BlkioDeviceReadBps),
    throttleWriteBpsDevice: throttle(host.BlkioDeviceWriteBps),
    throttleReadIOPSDevice: throttle(host.BlkioDeviceReadIOps),
    throttleWriteIOPSDevice: throttle(host.BlkioDeviceWriteIOps),
  });
  return {
    ...(memory === undefined && swappiness === undefined ? {} : { memory: { ...memory, ...swappiness } }),
    ...(cpu === undefined ? {} : { cpu }),
    ...(blockIO === undefined ? {} : { blockIO }),
    ...(host.PidsLimit ? { pids: { limit: host.PidsLimit < 0 ? NO_PIDS_LIMIT : host.PidsLimit } } : {}),
  };
}
