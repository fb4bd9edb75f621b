import { isErrno } from '../common/index.ts';
import { closeFd, type FileStat, findAt, O, openAt, openAt2, RESOLVE, statFd } from '../sys/index.ts';
import { isOpaque, readXattrs } from './attributes.ts';
import { byteName, bytesOf } from './names.ts';
import { type Breath, isDirectory, isWhiteout, namesIn, openDirectory } from './tree.ts';
import type { TreeChange } from './types.ts';

/**
 * What an overlay's upper directory changes against the layers below, as `docker diff` shows it (moby pkg/archive/changes.go): a
 * directory is changed where anything in it is, else only by its mode and owner; a file also by size and time.
 */
export async function overlayChanges(upper: string, lower: readonly string[], breathe: Breath): Promise<TreeChange[]> {
  const layers = lower.map((path) => openAt(-100, path, O.PATH | O.DIRECTORY));
  const top = openDirectory(-100, byteName(upper));
  try {
    const walk = new ChangeWalk(layers, breathe);
    await walk.directory(top, '', false);
    return walk.found.sort((a, b) => (a.path < b.path ? -1 : 1));
  } finally {
    for (const fd of [top, ...layers]) closeFd(fd);
  }
}

class ChangeWalk {
  readonly found: TreeChange[] = [];
  readonly #layers: readonly number[];
  readonly #breathe: Breath;

  constructor(layers: readonly number[], breathe: Breath) {
    this.#layers = layers;
    this.#breathe = breathe;
  }

  /** `added`: nothing is below this directory. */
  async directory(dir: number, path: string, added: boolean): Promise<void> {
    const names = namesIn(dir);
    for (const name of names) {
      await this.#breathe();
      const stat = findAt(dir, bytesOf(name));
      if (stat !== undefined) await this.#entry(dir, name, `${path}/${name}`, stat, added);
    }
    // An opaque directory has no whiteouts: what is missing here is gone.
    if (added || path === '' || !isOpaque(dir, '.')) return;
    const own = new Set(names);
    for (const name of namesBelow(this.#layers, path))
      if (!own.has(name)) this.found.push({ path: `${path}/${name}`, kind: 'D' });
  }

  async #entry(dir: number, name: string, path: string, stat: FileStat, added: boolean): Promise<void> {
    const before = added ? undefined : below(this.#layers, path);
    if (isWhiteout(stat)) {
      if (before !== undefined) this.found.push({ path, kind: 'D' });
      return;
    }
    const own = before === undefined ? 'A' : differs(stat, before.stat, dir, name, before.capability) ? 'C' : undefined;
    if (own !== undefined) this.found.push({ path, kind: own });
    if (!isDirectory(stat)) return;
    const count = this.found.length;
    const inside = openDirectory(dir, name);
    try {
      await this.directory(inside, path, before === undefined || !isDirectory(before.stat));
    } finally {
      closeFd(inside);
    }
    if (own === undefined && this.found.length > count) this.found.push({ path, kind: 'C' });
  }
}

function differs(stat: FileStat, before: FileStat, dir: number, name: string, capability: Buffer | undefined): boolean {
  if (stat.mode !== before.mode || stat.uid !== before.uid || stat.gid !== before.gid) return true;
  if (stat.deviceMajor !== before.deviceMajor || stat.deviceMinor !== before.deviceMinor) return true;
  if (isDirectory(stat)) return false;
  const { seconds, nanoseconds } = before.mtime;
  if (stat.sizeBytes !== before.sizeBytes) return true;
  if (stat.mtime.seconds !== seconds || stat.mtime.nanoseconds !== nanoseconds) return true;
  const now = readXattrs(dir, name)?.get('security.capability');
  return now === undefined || capability === undefined ? now !== capability : !now.equals(capability);
}

const LOOK = RESOLVE.BENEATH | RESOLVE.NO_SYMLINKS;

/** What the topmost layer that knows the path has there; undefined where nothing shows. */
function below(
  layers: readonly number[],
  path: string,
): { stat: FileStat; capability: Buffer | undefined } | undefined {
  const parts = path.slice(1).split('/');
  const name = parts.pop()!;
  for (const { fd, last } of directoriesBelow(layers, parts)) {
    const stat = findAt(fd, bytesOf(name));
    if (stat === undefined && !last) continue;
    if (stat === undefined || isWhiteout(stat)) return undefined;
    return { stat, capability: isDirectory(stat) ? undefined : readXattrs(fd, name)?.get('security.capability') };
  }
  return undefined;
}

/** The names that the layers show in a directory. */
function namesBelow(layers: readonly number[], path: string): string[] {
  const seen = new Map<string, boolean>();
  for (const { fd } of directoriesBelow(layers, path.slice(1).split('/')))
    for (const name of namesIn(fd))
      if (!seen.has(name)) {
        const stat = findAt(fd, bytesOf(name));
        seen.set(name, stat !== undefined && !isWhiteout(stat));
      }
  return [...seen].filter(([, shows]) => shows).map(([name]) => name);
}

/**
 * The directories that overlayfs merges at a path, topmost first; `last`: what is further down is hidden. Each is open until the next
 * is asked for.
 */
function* directoriesBelow(
  layers: readonly number[],
  parts: readonly string[],
): Generator<{ fd: number; last: boolean }> {
  for (const layer of layers) {
    let at = openAt(layer, '.', O.PATH | O.DIRECTORY);
    let opaque = false;
    try {
      let there = true;
      for (const part of parts) {
        const next = step(at, part);
        if (next === 'hidden') return;
        if (next === undefined) {
          there = false;
          break;
        }
        closeFd(at);
        at = next;
        opaque ||= isOpaque(at, '.');
      }
      if (there) yield { fd: at, last: opaque };
    } finally {
      closeFd(at);
    }
    if (opaque) return;
  }
}

/** One directory down; undefined where this layer has nothing, `hidden` where it has something else that covers the layers below. */
function step(dir: number, name: string): number | 'hidden' | undefined {
  try {
    const fd = openAt2(dir, bytesOf(name), O.PATH | O.NOFOLLOW, LOOK);
    if (isDirectory(statFd(fd))) return fd;
    closeFd(fd);
    return 'hidden';
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    if (isErrno(error, 'ELOOP')) return 'hidden';
    throw error;
  }
}
