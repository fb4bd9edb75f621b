import type { Limit } from '../../runtime/index.ts';
import type { Resources } from '../../wire/index.ts';

const missing = (what: string, discarded: string) =>
  `Your kernel does not support ${what} or the cgroup is not mounted. ${discarded} discarded.`;

/** Fields that mean nothing without a limit of the kernel's, with moby's words (daemon/daemon_unix.go verifyPlatformContainerResources). */
const TABLE: readonly { limit: Limit; fields: readonly (keyof Resources)[]; warning: string }[] = [
  { limit: 'memory', fields: ['Memory'], warning: missing('memory limit capabilities', 'Limitation') },
  {
    limit: 'swappiness',
    fields: ['MemorySwappiness'],
    warning: missing('memory swappiness capabilities', 'Memory swappiness'),
  },
  {
    limit: 'reservation',
    fields: ['MemoryReservation'],
    warning: missing('memory soft limit capabilities', 'Limitation'),
  },
  {
    limit: 'oom-kill',
    fields: ['OomKillDisable'],
    warning: 'Your kernel does not support OomKillDisable. OomKillDisable discarded.',
  },
  { limit: 'pids', fields: ['PidsLimit'], warning: missing('PIDs limit capabilities', 'PIDs limit') },
  { limit: 'shares', fields: ['CpuShares'], warning: missing('CPU shares', 'Shares') },
  {
    limit: 'quota',
    fields: ['CpuPeriod', 'CpuQuota'],
    warning: 'Your kernel does not support CPU CFS scheduler. CPU period/quota discarded.',
  },
  { limit: 'cpuset', fields: ['CpusetCpus', 'CpusetMems'], warning: missing('cpuset', 'Cpuset') },
  { limit: 'io-weight', fields: ['BlkioWeight'], warning: missing('Block I/O weight', 'Weight') },
  {
    limit: 'io-weight-device',
    fields: ['BlkioWeightDevice'],
    warning: missing('Block I/O weight_device', 'Weight-device'),
  },
  {
    limit: 'io',
    fields: ['BlkioDeviceReadBps', 'BlkioDeviceWriteBps', 'BlkioDeviceReadIOps', 'BlkioDeviceWriteIOps'],
    warning: missing('Block I/O limits', 'Block I/O limits'),
  },
];

/** False for Go's zero values, which say nothing. */
export const isSet = (value: unknown): boolean =>
  value !== undefined &&
  value !== 0 &&
  value !== '' &&
  value !== false &&
  !(Array.isArray(value) && value.length === 0);

/** Takes out of `host` what this kernel cannot limit, and says so in a warning each: a container starts without rather than not at all. */
export function discardMissingLimits(host: Resources, limits: ReadonlySet<Limit>, warnings: string[]): void {
  for (const { limit, fields, warning } of TABLE) {
    if (limits.has(limit) || !fields.some((field) => isSet(host[field]) && host[field] !== -1)) continue;
    for (const field of fields) delete host[field];
    warnings.push(warning);
  }
  if (host.Memory && host.MemorySwap !== -1 && !limits.has('swap')) {
    host.MemorySwap = -1;
    warnings.push(
      'Your kernel does not support swap limit capabilities or the cgroup is not mounted. Memory limited without swap.',
    );
  }
}
