import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { internal } from '../../common/index.ts';
import { hasOwnUserNamespace, openUserNamespace } from '../../sys/index.ts';

export interface Owner {
  uid: number;
  gid: number;
}

/** The highest id is no id: (uid_t)-1. */
const IDS = 2 ** 32 - 1;

/**
 * A map (user_namespaces(7): inside, outside, count) that exchanges two ids and leaves all others as they are, so that no file becomes
 * nobody's. The ids on disk are the inside, those that the container sees the outside.
 */
export function exchangeMap(a: number, b: number): string {
  const [low, high] = a < b ? [a, b] : [b, a];
  const lines: [number, number, number][] = [
    [0, 0, low],
    [low, high, 1],
    [low + 1, low + 1, high - low - 1],
    ...(low === high ? [] : ([[high, low, 1]] as [number, number, number][])),
    [high + 1, high + 1, IDS - high - 1],
  ];
  return lines
    .filter(([, , count]) => count > 0)
    .map((line) => `${line.join(' ')}\n`)
    .join('');
}

/** A descriptor of a user namespace in which the two owners are exchanged. A short-lived process makes it: a process of many threads cannot. */
export async function exchangeNamespace(onDisk: Owner, seen: Owner): Promise<number> {
  const child = spawn('unshare', ['--user', 'sleep', '60'], { stdio: 'ignore' });
  const failed = new Promise<never>((_, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => reject(internal(`unshare ended with ${code}`)));
  });
  failed.catch(() => {});
  const { pid } = child;
  try {
    if (pid === undefined) return await failed;
    while (!hasOwnUserNamespace(pid)) await Promise.race([sleep(1), failed]);
    return openUserNamespace(pid, {
      uid: exchangeMap(onDisk.uid, seen.uid),
      gid: exchangeMap(onDisk.gid, seen.gid),
    });
  } finally {
    child.kill('SIGKILL');
  }
}
