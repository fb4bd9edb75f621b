import { isErrno } from '../common/index.ts';
import {
  chmodAt,
  chownAt,
  closeFd,
  type FileStat,
  findAt,
  mknodAt,
  O,
  openAt,
  openAt2,
  RESOLVE,
  S_IF,
  statFd,
  utimesAt,
} from '../sys/index.ts';
import { markOpaque } from './attributes.ts';
import { byteName, bytesOf } from './names.ts';
import { type Breath, isDirectory, namesIn, openDirectory } from './tree.ts';
import type { Unsettled } from './types.ts';

/** Gives an extracted layer at `root` what it takes from the layers below it (`lower`: topmost first). */
export async function settle(
  root: string,
  lower: readonly string[],
  { parents, opaqueRoot }: Unsettled,
  breathe: Breath,
): Promise<void> {
  const own = openDirectory(-100, byteName(root));
  try {
    for (const path of parents) {
      inherit(own, lower, path);
      await breathe();
    }
    if (opaqueRoot) for (const layer of lower) hide(own, layer);
  } finally {
    closeFd(own);
  }
}

/** overlayfs shows the topmost directory's owner and mode: a parent made only to hold something must not change them. */
function inherit(root: number, lower: readonly string[], path: string): void {
  for (const layer of lower) {
    const found = below(layer, path);
    if (found === 'hidden') return;
    if (found === undefined) continue;
    const fd = directoryAt(root, path);
    if (fd === undefined) return;
    try {
      chownAt(fd, '.', found.uid, found.gid);
      chmodAt(fd, '.', found.mode & 0o7777);
      utimesAt(fd, '.', found.mtime, found.mtime);
    } finally {
      closeFd(fd);
    }
    return;
  }
}

/** The layer's own directory, if a later entry has not made something else of it. */
function directoryAt(root: number, path: string): number | undefined {
  try {
    return openAt2(root, bytesOf(path), O.PATH | O.DIRECTORY | O.NOFOLLOW, RESOLVE.BENEATH | RESOLVE.NO_SYMLINKS);
  } catch (error) {
    if (isErrno(error, 'ENOENT') || isErrno(error, 'ENOTDIR') || isErrno(error, 'ELOOP')) return undefined;
    throw error;
  }
}

function below(layer: string, path: string): FileStat | 'hidden' | undefined {
  const top = openAt(-100, layer, O.PATH | O.DIRECTORY);
  try {
    const fd = openAt2(top, bytesOf(path), O.PATH | O.NOFOLLOW, RESOLVE.IN_ROOT | RESOLVE.NO_SYMLINKS);
    try {
      const stat = statFd(fd);
      return isDirectory(stat) ? stat : 'hidden';
    } finally {
      closeFd(fd);
    }
  } catch (error) {
    // Not in this layer: ENOENT. Another kind of thing on the way hides what is further down.
    return isErrno(error, 'ENOENT') ? undefined : 'hidden';
  } finally {
    closeFd(top);
  }
}

/** Hides, at the top, all that a layer below has and this one has not. */
function hide(root: number, layer: string): void {
  const other = openDirectory(-100, byteName(layer));
  try {
    for (const name of namesIn(other)) {
      const own = findAt(root, bytesOf(name));
      if (own === undefined) mknodAt(root, bytesOf(name), S_IF.CHR, 0, 0);
      else if (isDirectory(own)) markOpaque(root, name);
    }
  } finally {
    closeFd(other);
  }
}
