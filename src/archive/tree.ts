import { readdirSync } from 'node:fs';
import { conflict, isErrno } from '../common/index.ts';
import { AT_REMOVEDIR, closeFd, type FileStat, findAt, O, openAt, S_IF, statFd, unlinkAt } from '../sys/index.ts';
import { bytesOf, textOf } from './names.ts';

/** Names in an open directory, as byte strings. Works for O_PATH descriptors too. */
export const namesIn = (dirfd: number): string[] =>
  readdirSync(`/proc/self/fd/${dirfd}`, { encoding: 'latin1' as BufferEncoding }) as string[];

export const typeOf = (stat: FileStat): number => stat.mode & S_IF.MT;
export const isDirectory = (stat: FileStat): boolean => typeOf(stat) === S_IF.DIR;
/** overlayfs: a character device 0:0 in an upper or lower directory hides what is below (filesystems/overlayfs.rst). */
export const isWhiteout = (stat: FileStat): boolean =>
  typeOf(stat) === S_IF.CHR && stat.deviceMajor === 0 && stat.deviceMinor === 0;

/** Opens a directory itself, never what a symbolic link at its name points to. */
export const openDirectory = (dirfd: number, name: string): number =>
  openAt(dirfd, bytesOf(name), O.RDONLY | O.DIRECTORY | O.NOFOLLOW);

/** Lets other work in: long synchronous jobs await it between steps. Throws if the job was cancelled. */
export type Breath = () => Promise<void> | undefined;

/**
 * Removes a thing and all below it, through directory descriptors: a symbolic link put in the way is removed, not followed. Never
 * crosses into a mount. Not an error if nothing is there.
 */
export async function removeAt(dirfd: number, name: string, breathe: Breath): Promise<void> {
  const stat = findAt(dirfd, bytesOf(name));
  if (stat === undefined) return;
  if (!isDirectory(stat)) return unlinkAt(dirfd, bytesOf(name));
  if (stat.mountRoot) throw mounted(name);
  const inside = openDirectory(dirfd, name);
  try {
    for (const child of namesIn(inside)) {
      if (!unlinked(inside, child)) await removeAt(inside, child, breathe);
      await breathe();
    }
  } finally {
    closeFd(inside);
  }
  unlinkAt(dirfd, bytesOf(name), AT_REMOVEDIR);
}

const mounted = (name: string) => conflict(`${textOf(name)} is not removed: something is mounted there`);

/** The common case in one call: what is no directory goes. */
function unlinked(dirfd: number, name: string): boolean {
  try {
    unlinkAt(dirfd, bytesOf(name));
    return true;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return true;
    // Linux answers EISDIR for a directory, POSIX says EPERM (which an immutable file gives too; removeAt finds out).
    if (isErrno(error, 'EISDIR') || isErrno(error, 'EPERM')) return false;
    throw error;
  }
}

/** As removeAt, without yielding, for a tree known to be small or where order matters (inside an archive). */
export function removeNow(dirfd: number, name: string): void {
  if (unlinked(dirfd, name)) return;
  const inside = openDirectory(dirfd, name);
  try {
    if (statFd(inside).mountRoot) throw mounted(name);
    for (const child of namesIn(inside)) removeNow(inside, child);
  } finally {
    closeFd(inside);
  }
  unlinkAt(dirfd, bytesOf(name), AT_REMOVEDIR);
}

/** Bytes of everything below but directories, a hard-linked file once (as moby's directory.Size counts). */
export async function treeBytes(dirfd: number, breathe: Breath, seen: Set<string> = new Set()): Promise<number> {
  let total = 0;
  for (const name of namesIn(dirfd)) {
    const stat = findAt(dirfd, bytesOf(name));
    if (stat === undefined) continue;
    if (isDirectory(stat)) {
      let inside: number;
      try {
        inside = openDirectory(dirfd, name);
      } catch (error) {
        if (isErrno(error, 'ENOENT') || isErrno(error, 'ENOTDIR') || isErrno(error, 'ELOOP')) continue;
        throw error;
      }
      try {
        total += await treeBytes(inside, breathe, seen);
      } finally {
        closeFd(inside);
      }
    } else if (stat.links === 1 || !seen.has(stat.identity)) {
      if (stat.links > 1) seen.add(stat.identity);
      total += stat.sizeBytes;
    }
    await breathe();
  }
  return total;
}
