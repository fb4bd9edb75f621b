import { readlinkSync } from 'node:fs';
import { basename, posix } from 'node:path';
import type { Readable } from 'node:stream';
import { extractInto, packDirectory } from '../archive/index.ts';
import {
  conflict,
  forbidden,
  internal,
  invalid,
  isErrno,
  messageOf,
  newId,
  notFound,
  rfc3339Nano,
} from '../common/index.ts';
import { resolveUser } from '../runtime/index.ts';
import { AT_FDCWD, closeFd, O, openAt, openAt2, RESOLVE, S_IF, statFd } from '../sys/index.ts';
import type { Container } from './containers/book.ts';
import { accountsOf, resolveInRoot } from './containers/root-path.ts';
import { type CopyPlaceParts, openCopyPlace } from './copy-place.ts';
import type { ArchiveService, PathStat } from './types.ts';

export interface ArchiveParts extends CopyPlaceParts {
  emit: (container: Container, action: string) => void;
}

/** Go's os.FileMode bits above the permissions (io/fs). */
const GO_MODE = {
  directory: 2 ** 31,
  symlink: 2 ** 27,
  device: 2 ** 26,
  pipe: 2 ** 25,
  socket: 2 ** 24,
  setuid: 2 ** 23,
  setgid: 2 ** 22,
  charDevice: 2 ** 21,
  sticky: 2 ** 20,
};

const KIND: Record<number, number> = {
  [S_IF.DIR]: GO_MODE.directory,
  [S_IF.LNK]: GO_MODE.symlink,
  [S_IF.CHR]: GO_MODE.device + GO_MODE.charDevice,
  [S_IF.BLK]: GO_MODE.device,
  [S_IF.FIFO]: GO_MODE.pipe,
  [S_IF.SOCK]: GO_MODE.socket,
};

/** st_mode as Go's os.FileMode. */
export const goMode = (mode: number): number =>
  (KIND[mode & S_IF.MT] ?? 0) +
  (mode & 0o4000 ? GO_MODE.setuid : 0) +
  (mode & 0o2000 ? GO_MODE.setgid : 0) +
  (mode & 0o1000 ? GO_MODE.sticky : 0) +
  (mode & 0o777);

/** `docker cp` and volume archives. */
export class Archive implements ArchiveService {
  readonly #parts: ArchiveParts;
  constructor(parts: ArchiveParts) {
    this.#parts = parts;
  }

  async stat(ref: string, path: string): Promise<PathStat> {
    const place = await openCopyPlace(this.#parts.book.get(ref), this.#parts);
    try {
      return statInside(place.root, path, ref);
    } finally {
      await place.release();
    }
  }

  async get(ref: string, path: string, signal: AbortSignal): Promise<{ stat: PathStat; tar: Readable }> {
    const container = this.#parts.book.get(ref);
    const place = await openCopyPlace(container, this.#parts);
    try {
      const stat = statInside(place.root, path, ref);
      const absolute = posix.normalize(`/${path}`);
      // `dir/.` is what is in it. Clients rename by the first part of the names, so this is what they know them by.
      const tar = meansContent(path)
        ? packDirectory(place.root, `${absolute}/.`, { as: '.', signal })
        : packDirectory(place.root, absolute, { as: basename(absolute) || '/', signal });
      tar.once('close', () => void place.release().catch(() => {}));
      this.#parts.emit(container, 'archive-path');
      return { stat, tar };
    } catch (error) {
      await place.release();
      throw error;
    }
  }

  async put(ref: string, path: string, tar: Readable, options: PutOptions): Promise<void> {
    await thenDrained(tar, (chunks) => this.#put(ref, path, chunks, options));
  }

  async #put(ref: string, path: string, tar: AsyncIterable<Buffer>, options: PutOptions): Promise<void> {
    const container = this.#parts.book.get(ref);
    const { config } = container.record;
    const place = await openCopyPlace(container, this.#parts);
    try {
      const readonly = readonlyPlace(container, place.root, path);
      const clean = posix.normalize(`/${path}`).replace(/(.)\/$/, '$1');
      const target = statInside(place.root, clean, ref, path, true);
      if (target.mode < GO_MODE.directory) throw invalid('extraction point is not a directory');
      if (readonly !== undefined) throw forbidden(readonly);
      await extractInto(place.root, tar, {
        path: posix.normalize(`/${path}`),
        noOverwriteDirNonDir: options.noOverwriteDirNonDir,
        signal: options.signal,
        ...(options.copyUidGid && config.User ? { owner: ownerOf(config.User, place.root) } : {}),
      });
      this.#parts.emit(container, 'extract-to-dir');
    } finally {
      await place.release();
    }
  }

  async exportVolume(name: string, signal: AbortSignal): Promise<Readable> {
    await this.#parts.volumes.inspect(name);
    const holder = `export-${newId()}`;
    const path = await this.#parts.volumes.mount(name, { id: holder });
    const tar = packDirectory(path, '/', { as: '', topEntry: true, signal });
    tar.once('close', () => void this.#parts.volumes.unmount(name, { id: holder }).catch(() => {}));
    return tar;
  }

  async importVolume(name: string, tar: Readable, signal: AbortSignal): Promise<void> {
    await this.#parts.volumes.inspect(name);
    if (this.#parts.volumes.holders(name).some((id) => this.#parts.book.find(id)?.running === true))
      throw conflict(`volume ${name} is used by a running container`);
    const holder = `import-${newId()}`;
    const path = await this.#parts.volumes.mount(name, { id: holder });
    try {
      await thenDrained(tar, (chunks) => extractInto(path, chunks, { topEntry: true, signal }));
    } finally {
      await this.#parts.volumes.unmount(name, { id: holder });
    }
  }
}

/**
 * Clients send the whole archive before they read an answer. The stream is their connection, so it stays open when the work with it fails, and
 * what is left of it is read.
 */
async function thenDrained(tar: Readable, work: (chunks: AsyncIterable<Buffer>) => Promise<unknown>): Promise<void> {
  const chunks = (): AsyncIterable<Buffer> => tar.iterator({ destroyOnReturn: false });
  try {
    await work(chunks());
  } catch (error) {
    for await (const _ of chunks());
    throw error;
  }
}

type PutOptions = Parameters<ArchiveService['put']>[3];

function ownerOf(user: string, root: string): { uid: number; gid: number } {
  const { passwd, group } = accountsOf(root);
  try {
    const { uid, gid } = resolveUser(user, [], passwd, group);
    return { uid, gid };
  } catch (error) {
    throw invalid(`failed to look up user "${user}" in container: ${messageOf(error)}`, error);
  }
}

/** Why nothing can be written at a path; the kernel would refuse it too, in other words. */
function readonlyPlace(container: Container, root: string, path: string): string | undefined {
  const { mounts, host } = container.record;
  const inside = `/${posix.relative(root, resolveInRoot(root, path))}/`.replace(/\/+/g, '/');
  const [mount] = mounts
    .filter(({ destination }) => inside.startsWith(`${destination}/`))
    .sort((a, b) => b.destination.length - a.destination.length);
  if (mount === undefined) return host.ReadonlyRootfs ? 'container rootfs is marked read-only' : undefined;
  return mount.rw ? undefined : 'mounted volume is marked read-only';
}

/** Looks at a path as a process inside would, by a descriptor: no link that is exchanged meanwhile leads out. */
function statInside(root: string, path: string, ref: string, shown = path, followed = false): PathStat {
  const absolute = posix.normalize(`/${path}`);
  const follow = followed || absolute.endsWith('/') || meansContent(path);
  const rootFd = openAt(AT_FDCWD, root, O.PATH);
  const open = (flags: number) =>
    openAt2(rootFd, absolute === '/' ? '.' : absolute, O.PATH | flags, RESOLVE.IN_ROOT | RESOLVE.NO_MAGICLINKS);
  try {
    const fd = open(follow ? 0 : O.NOFOLLOW);
    try {
      const info = statFd(fd);
      return {
        name: meansContent(path) ? '.' : basename(absolute) || '/',
        size: info.sizeBytes,
        mode: goMode(info.mode),
        mtime: rfc3339Nano(BigInt(info.mtime.seconds) * 1_000_000_000n + BigInt(info.mtime.nanoseconds)),
        linkTarget: (info.mode & S_IF.MT) === S_IF.LNK ? linkTarget(root, absolute, open) : '',
      };
    } finally {
      closeFd(fd);
    }
  } catch (error) {
    if (isErrno(error, 'ENOENT')) throw notFound(`Could not find the file ${shown} in container ${ref}`);
    if (isErrno(error, 'ENOTDIR')) throw internal(`lstat ${shown}: not a directory`);
    throw error;
  } finally {
    closeFd(rootFd);
  }
}

/** Where a link leads in the end, inside the container; for one that leads nowhere, where the file would be. */
function linkTarget(root: string, path: string, open: (flags: number) => number): string {
  try {
    const fd = open(0);
    try {
      const place = readlinkSync(`/proc/self/fd/${fd}`);
      return place.startsWith(`${root}/`) ? place.slice(root.length) : place;
    } finally {
      closeFd(fd);
    }
  } catch (error) {
    if (!isErrno(error, 'ENOENT') && !isErrno(error, 'ENOTDIR')) throw error;
    return `/${posix.relative(root, resolveInRoot(root, path))}`;
  }
}

/** True for a path whose last part is `.`, slashes behind it or not (moby pkg/archive/copy.go specifiesCurrentDir). */
const meansContent = (path: string): boolean => /(^|\/)\.\/*$/.test(path);
