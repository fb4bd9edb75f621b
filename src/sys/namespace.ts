import { closeSync, openSync, writeFileSync } from 'node:fs';
import { check, libc } from './libc.ts';

/** linux/sched.h: the network namespace's flag. */
const CLONE_NEWNET = 0x40000000;
/** sys/mount.h */
const MS_BIND = 4096;
const MNT_DETACH = 2;

const setns = libc.func('int setns(int, int)');
const unshare = libc.func('int unshare(int)');
const bindMount = libc.func('int mount(const char *, const char *, const char *, unsigned long, const void *)');
const detachMount = libc.func('int umount2(const char *, int)');

/** The calling thread's namespace; a libuv worker stays in the process's own, which is why everything here is synchronous. */
const CURRENT = '/proc/thread-self/ns/net';

/**
 * Runs `body` with the calling thread inside the network namespace at `path`, and brings the thread back whatever happens.
 * `body` must be synchronous: other work of this thread must not run in the wrong namespace.
 */
export function inNetworkNamespace<T>(path: string, body: () => T): T {
  const home = openSync(CURRENT, 'r');
  try {
    const there = openSync(path, 'r');
    try {
      check(setns(there, CLONE_NEWNET), 'setns', path);
    } finally {
      closeSync(there);
    }
    try {
      return body();
    } finally {
      check(setns(home, CLONE_NEWNET), 'setns');
    }
  } finally {
    closeSync(home);
  }
}

/** Makes a network namespace and keeps it alive by a bind mount at `path` (which must not exist). `setUp` runs inside it. */
export function createNetworkNamespace(path: string, setUp?: () => void): void {
  writeFileSync(path, '', { flag: 'wx', mode: 0o444 });
  const home = openSync(CURRENT, 'r');
  try {
    check(unshare(CLONE_NEWNET), 'unshare');
    try {
      check(bindMount(CURRENT, path, 'none', MS_BIND, null), 'mount', path);
      setUp?.();
    } finally {
      check(setns(home, CLONE_NEWNET), 'setns');
    }
  } finally {
    closeSync(home);
  }
}

/** Keeps the calling thread's own namespace reachable at `path`. */
export function pinNetworkNamespace(path: string): void {
  writeFileSync(path, '', { flag: 'w', mode: 0o444 });
  check(bindMount(CURRENT, path, 'none', MS_BIND, null), 'mount', path);
}

/** Lets go of a namespace's bind mount; the file stays. Returns false if nothing was mounted there. */
export function releaseNetworkNamespace(path: string): boolean {
  return Number(detachMount(path, MNT_DETACH)) === 0;
}
