import { posix } from 'node:path';
import type { Owner } from '../archive/index.ts';
import { findStat, resolveParentInRoot } from './root-path.ts';
import type { Source } from './sources.ts';

export interface LinkedCopy {
  /** Absolute; ends with `/` where it must be a directory. */
  destination: string;
  sources: readonly Source[];
  /** Of directories made for the destination. */
  owner: Owner;
  mode: number;
  /** Names inside the destination follow links of what is there (archives, `--parents`). */
  followsInside: boolean;
}

/**
 * Whether a copy would come out the same over nothing as over this root: then its layer can be made, and used again, without it. Where a
 * link leads elsewhere, a directory has another owner or mode, or something is in the way, what is below counts.
 */
export function standsAlone(root: string, copy: LinkedCopy): boolean {
  const { destination, sources, owner, mode, followsInside } = copy;
  const parts = destination.split('/').filter((part) => part !== '');
  for (const [index] of parts.entries()) {
    const stat = findStat(resolveParentInRoot(root, parts.slice(0, index + 1).join('/')));
    if (stat === undefined) return true;
    const isLast = index === parts.length - 1;
    if (isLast && stat.isFile() && !destination.endsWith('/')) return sources.every(({ directory }) => !directory);
    if (!stat.isDirectory() || stat.uid !== owner.uid || stat.gid !== owner.gid || (stat.mode & 0o7777) !== mode)
      return false;
  }
  // A file goes into a directory that is there, and would be the destination itself where there is none.
  if (!destination.endsWith('/') && sources.some(({ directory }) => !directory)) return false;
  if (followsInside) return false;
  return sources.every(
    ({ directory, name }) =>
      directory || findStat(resolveParentInRoot(root, posix.join(destination, name)))?.isDirectory() !== true,
  );
}
