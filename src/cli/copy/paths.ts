import { posix } from 'node:path';

/** `CONTAINER:PATH`, or a local path: absolute, or led by a dot (docker/cli splitCpArg). */
export function splitCopyArg(arg: string): { container?: string; path: string } {
  if (arg.startsWith('/')) return { path: arg };
  const cut = arg.indexOf(':');
  if (cut < 1 || arg.startsWith('.')) return { path: arg };
  return { container: arg.slice(0, cut), path: arg.slice(cut + 1) };
}

export interface CopyEnd {
  path: string;
  exists: boolean;
  isDir: boolean;
}

/** `dir/.` and `dir/` mean what is in the directory, or that it must be one. */
const endsInDot = (path: string): boolean => path === '.' || path.endsWith('/.');
export const mustBeDir = (path: string): boolean => path.endsWith('/') || endsInDot(path);

export interface CopyPlan {
  /** The directory that the archive is unpacked in. */
  dir: string;
  /** The name that the source's top entry gets; `.` puts its contents straight into `dir`. */
  name: string;
}

/**
 * Where a copy goes (moby go-archive PrepareArchiveCopy, which follows `cp -a`): into an existing directory under the source's own name,
 * its contents alone if the source ends in `/.`; otherwise to the destination's name beside its siblings.
 */
export function planCopy(source: CopyEnd, destination: CopyEnd): CopyPlan {
  const clean = posix.normalize(destination.path).replace(/(.)\/$/, '$1');
  const parent = posix.dirname(clean);
  const base = posix.basename(clean);
  if (destination.exists && destination.isDir) {
    const name =
      source.isDir && endsInDot(source.path) ? '.' : posix.basename(posix.normalize(source.path).replace(/\/$/, ''));
    return { dir: clean, name: name === '' ? '.' : name };
  }
  if (destination.exists) {
    if (source.isDir) throw new Error('cannot copy directory');
    if (mustBeDir(destination.path)) throw new Error('not a directory');
    return { dir: parent, name: base };
  }
  if (!source.isDir && mustBeDir(destination.path)) throw new Error('no such directory');
  return { dir: parent, name: base };
}
