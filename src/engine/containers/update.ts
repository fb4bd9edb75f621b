import { conflict } from '../../common/index.ts';
import type { Limit } from '../../runtime/index.ts';
import type { HostConfig, Resources, UpdateContainerBody } from '../../wire/index.ts';
import { checkResources, checkRestartPolicy } from './configure.ts';
import { isSet } from './discarded-limits.ts';
import type { ContainerRecord } from './record.ts';

/** What may change while a container is there (moby container/container_unix.go UpdateContainer). */
const UPDATABLE: readonly (keyof Resources)[] = [
  'BlkioWeight',
  'CpuShares',
  'NanoCpus',
  'CpuPeriod',
  'CpuQuota',
  'CpusetCpus',
  'CpusetMems',
  'CpuRealtimePeriod',
  'CpuRealtimeRuntime',
  'Memory',
  'MemorySwap',
  'MemoryReservation',
  'PidsLimit',
];
/** Without effect; checkResources says so. */
const KERNEL_MEMORY: readonly (keyof Resources)[] = ['KernelMemory', 'KernelMemoryTCP'];

/** A container's configuration with what was asked for. Zero values say nothing. Pure. */
export function updatedHost(
  { id, host }: Pick<ContainerRecord, 'id' | 'host'>,
  { RestartPolicy, ...body }: UpdateContainerBody,
  limits: ReadonlySet<Limit>,
): { host: HostConfig; warnings: string[] } {
  const warnings: string[] = [];
  const asked: Resources = { ...body };
  // A limit with swap is one for the memory limit that stands, unless that changes too.
  if (isMore(asked.MemorySwap) && !asked.Memory) asked.Memory = host.Memory;
  checkResources(asked, limits, warnings);
  for (const field of KERNEL_MEMORY) asked[field] = undefined;
  // Here 0 says something: no limit, as -1 does.
  if (asked.PidsLimit !== undefined && asked.PidsLimit <= 0) asked.PidsLimit = -1;
  const set = Object.entries(asked).filter(([, value]) => isSet(value));
  const known = new Set<string>(UPDATABLE);
  for (const [field] of set) if (!known.has(field)) warnings.push(`${field} cannot be updated and is ignored`);
  const clash = conflictOf(host, asked);
  if (clash !== undefined) throw conflict(`Cannot update container ${id}: ${clash}`);
  const result: HostConfig = { ...host, ...Object.fromEntries(set.filter(([field]) => known.has(field))) };
  if (RestartPolicy?.Name) {
    if (host.AutoRemove && RestartPolicy.Name !== 'no')
      throw conflict(
        `Cannot update container ${id}: Restart policy cannot be updated because AutoRemove is enabled for the container`,
      );
    result.RestartPolicy = RestartPolicy;
    checkRestartPolicy(result);
  }
  return { host: result, warnings };
}

const isMore = (value: number | undefined) => value !== undefined && value > 0;

/** The time of processors is limited in one way or the other, and memory is part of memory with swap. */
function conflictOf(host: HostConfig, asked: Resources): string | undefined {
  const taken = (what: string, by: string) =>
    `Conflicting options: ${what} cannot be updated as ${by} has already been set`;
  if (isMore(asked.NanoCpus) && isMore(host.CpuPeriod)) return taken('Nano CPUs', 'CPU Period');
  if (isMore(asked.NanoCpus) && isMore(host.CpuQuota)) return taken('Nano CPUs', 'CPU Quota');
  if (isMore(asked.CpuPeriod) && isMore(host.NanoCpus)) return taken('CPU Period', 'NanoCPUs');
  if (isMore(asked.CpuQuota) && isMore(host.NanoCpus)) return taken('CPU Quota', 'NanoCPUs');
  const { MemorySwap: swap = 0 } = host;
  return asked.Memory && swap > 0 && asked.Memory > swap && !asked.MemorySwap
    ? 'Memory limit should be smaller than already set memoryswap limit, update the memoryswap at the same time'
    : undefined;
}
