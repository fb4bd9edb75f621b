import { statfsSync } from 'node:fs';
import { invalid } from '../../common/index.ts';
import type { SpecMount } from '../../runtime/index.ts';

/** statfs(2) f_type of procfs (linux/magic.h). */
const PROC_SUPER_MAGIC = 0x9fa0;

/** What lxcfs and its like put there, and nothing that steers the machine (runc libcontainer/rootfs_linux.go, checkProcMount). */
const ALLOWED = new Set(
  'cpuinfo diskstats meminfo stat swaps uptime loadavg slabinfo net/dev sys/kernel/ns_last_pid sys/crypto/fips_enabled'.split(
    ' ',
  ),
);

/**
 * Refuses a mount over /proc or inside it, as runc does and crun does not: what masks the machine's switches would be gone.
 * procfs itself may be put there.
 */
export function checkProcMount({ type, source }: SpecMount, destination: string): void {
  const inside = /^\/proc(?:\/(.*))?$/.exec(destination);
  if (inside === null || ALLOWED.has(inside[1] ?? '')) return;
  if (type === 'bind' && isProcfs(source)) return;
  const why = inside[1] === undefined ? 'it is not of type proc' : 'it is inside /proc';
  throw invalid(
    `error mounting ${JSON.stringify(source)} to rootfs at ${JSON.stringify(destination)}: ${JSON.stringify(destination)} cannot be mounted because ${why}`,
  );
}

function isProcfs(path: string): boolean {
  try {
    return statfsSync(path).type === PROC_SUPER_MAGIC;
  } catch {
    // What is not there is refused in any case.
    return false;
  }
}
