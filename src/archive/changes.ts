import { isErrno } from '../common/index.ts';
import { closeFd, type FileStat, findAt, O, openAt, openAt2, RESOLVE, statFd } from '../sys/index.ts';
import { isOpaque } from './attributes.ts';
import { byteName, bytesOf } from './names.ts';
import { type Breath, isDirectory, isWhiteout, namesIn, openDirectory } from './tree.ts';
import type { TreeChange } from './types.ts';

/**
 * What an overlay's upper directory changes against the layers below, as `docker diff` shows it (moby pkg/archive/changes.go): a
 * directory that was only passed through is shown as changed where something in it was added or deleted.
 */
export async function overlayChanges(upper: string, lower: readonly string[], breathe: Breath): Promise<TreeChange[]> {
  const layers = lower.map((path) => openAt(-100, path, O.PATH | O.DIRECTORY));
  const top = openDirectory(-100, byteName(upper));
  const found: TreeChange[] = [];
  const shown = new Set<string>();

  const walk = async (dir: number, path: string, hidden: boolean): Promise<void> => {
    for (const name of namesIn(dir).sort()) {
      await breathe();
      const stat = findAt(dir, bytesOf(name));
      if (stat === undefined) continue;
      const here = `${path}/${name}`;
      const change = changeOf(stat, hidden ? undefined : below(layers, here));
      if (change !== undefined) {
        if (isDirectory(stat)) shown.add(here);
        if (change !== 'C' && path !== '' && !shown.has(path)) {
          shown.add(path);
          found.push({ path, kind: 'C' });
        }
        found.push({ path: here, kind: change });
      }
      if (!isDirectory(stat)) continue;
      const inside = openDirectory(dir, name);
      try {
        await walk(inside, here, hidden || isOpaque(inside, '.'));
      } finally {
        closeFd(inside);
      }
    }
  };
  try {
    await walk(top, '', false);
  } finally {
    for (const fd of [top, ...layers]) closeFd(fd);
  }
  return found.sort((a, b) => (a.path < b.path ? -1 : 1));
}

function changeOf(stat: FileStat, before: FileStat | undefined): TreeChange['kind'] | undefined {
  if (isWhiteout(stat)) return 'D';
  if (before === undefined) return 'A';
  const same =
    isDirectory(stat) &&
    isDirectory(before) &&
    stat.mode === before.mode &&
    stat.sizeBytes === before.sizeBytes &&
    stat.mtime.seconds === before.mtime.seconds &&
    stat.mtime.nanoseconds === before.mtime.nanoseconds;
  return same ? undefined : 'C';
}

/** What the topmost layer that knows the path has there. */
function below(layers: readonly number[], path: string): FileStat | undefined {
  for (const layer of layers) {
    try {
      const fd = openAt2(layer, bytesOf(path.slice(1)), O.PATH | O.NOFOLLOW, RESOLVE.BENEATH | RESOLVE.NO_SYMLINKS);
      try {
        const stat = statFd(fd);
        return isWhiteout(stat) ? undefined : stat;
      } finally {
        closeFd(fd);
      }
    } catch (error) {
      if (isErrno(error, 'ENOENT')) {
        // An opaque parent here hides what is further down.
        if (opaqueAbove(layer, path)) return undefined;
        continue;
      }
      if (isErrno(error, 'ENOTDIR') || isErrno(error, 'ELOOP')) return undefined;
      throw error;
    }
  }
  return undefined;
}

function opaqueAbove(layer: number, path: string): boolean {
  const parts = path.slice(1).split('/').slice(0, -1);
  for (let depth = 1; depth <= parts.length; depth++) {
    let fd: number;
    try {
      fd = openAt2(layer, bytesOf(parts.slice(0, depth).join('/')), O.PATH | O.DIRECTORY, RESOLVE.NO_SYMLINKS);
    } catch {
      return false;
    }
    try {
      if (isOpaque(fd, '.')) return true;
    } finally {
      closeFd(fd);
    }
  }
  return false;
}
