import { readSync } from 'node:fs';
import { basename } from 'node:path/posix';
import { isErrno } from '../common/index.ts';
import {
  AT_FDCWD,
  closeFd,
  dataExtents,
  type Extent,
  type FileStat,
  findAt,
  O,
  openAt,
  openInRoot,
  readlinkAt,
  S_IF,
  statFd,
} from '../sys/index.ts';
import { isOpaque, readXattrs, readXattrsFd } from './attributes.ts';
import { archiveEnd, encodeEntry, paddingOf } from './encode.ts';
import { byteName, bytesOf } from './names.ts';
import type { OutputBuffer } from './output-buffer.ts';
import { type Breath, isDirectory, isWhiteout, namesIn, openDirectory, typeOf } from './tree.ts';
import type { PackOptions, TarEntryType, TarHeader } from './types.ts';
import { OPAQUE_NAME, whiteoutName } from './whiteouts.ts';

const DEFAULT_SPARSE_FROM = 1024 * 1024;
const ZEROS = Buffer.alloc(64 * 1024);

const TYPES = new Map<number, TarEntryType>([
  [S_IF.REG, 'file'],
  [S_IF.DIR, 'dir'],
  [S_IF.LNK, 'symlink'],
  [S_IF.CHR, 'char'],
  [S_IF.BLK, 'block'],
  [S_IF.FIFO, 'fifo'],
]);

/**
 * Walks a tree, children sorted by the bytes of their names, and writes an archive of it. Opened directories only, links never followed.
 * What goes away meanwhile is left out; a file that shrinks is filled up with zeros. Sockets are left out: an archive cannot
 * hold one.
 */
export class Packer {
  readonly #out: OutputBuffer;
  readonly #breathe: Breath;
  readonly #options: PackOptions;
  /** First name in the archive of each file with several. */
  readonly #linked = new Map<string, string>();

  constructor(out: OutputBuffer, breathe: Breath, options: PackOptions) {
    this.#out = out;
    this.#breathe = breathe;
    this.#options = options;
  }

  /** Packs `path` (UTF-8) inside `root` and closes the archive. */
  async pack(root: string, path: string): Promise<void> {
    const follow = this.#options.follow ?? /(^|\/)\.?$/.test(path);
    const top = openInRoot(root, path, follow ? O.PATH : O.PATH | O.NOFOLLOW);
    try {
      await this.#top(top, byteName(this.#options.as ?? basename(path)));
    } finally {
      closeFd(top);
    }
    await this.#out.write(archiveEnd());
    await this.#out.flush();
  }

  async #top(fd: number, name: string): Promise<void> {
    const stat = statFd(fd);
    if (!isDirectory(stat)) return this.#entry(fd, '', name, stat);
    if (name !== '') await this.#directory(fd, '.', name, stat);
    else if (this.#options.topEntry === true) await this.#head(fd, '.', './', stat, 'dir');
    await this.#children(fd, name);
  }

  async #children(fd: number, prefix: string): Promise<void> {
    for (const name of namesIn(fd).sort()) {
      const stat = findAt(fd, bytesOf(name));
      if (stat !== undefined) await this.#entry(fd, name, below(prefix, name), stat);
      await this.#breathe();
    }
  }

  /** `name` '' means the descriptor itself. */
  async #entry(parent: number, name: string, path: string, stat: FileStat): Promise<void> {
    const type = TYPES.get(typeOf(stat));
    if (type === undefined) return;
    if (this.#options.whiteouts === true && isWhiteout(stat)) return this.#whiteout(path, stat);
    if (type === 'dir') {
      const inside = opened(() => openDirectory(parent, name));
      if (inside === undefined) return;
      try {
        await this.#directory(inside, '.', path, stat);
        await this.#children(inside, path);
      } finally {
        closeFd(inside);
      }
      return;
    }
    if (stat.links > 1) {
      const first = this.#linked.get(stat.identity);
      if (first !== undefined)
        return this.#out.write(this.#encode({ ...this.#header(path, stat, 'hardlink'), linkName: first }));
      this.#linked.set(stat.identity, path);
    }
    if (type === 'file') return this.#file(parent, name, path);
    await this.#head(parent, name, path, stat, type);
  }

  async #directory(parent: number, name: string, path: string, stat: FileStat): Promise<void> {
    await this.#head(parent, name, path === '/' ? path : `${path}/`, stat, 'dir');
    if (this.#options.whiteouts !== true || !isOpaque(parent, name)) return;
    const header = this.#header(`${path}/${OPAQUE_NAME}`, stat, 'file');
    await this.#out.write(this.#encode({ ...header, mode: 0, size: 0 }));
  }

  #whiteout(path: string, stat: FileStat): Promise<void> {
    const cut = path.lastIndexOf('/') + 1;
    const hidden = `${path.slice(0, cut)}${whiteoutName(path.slice(cut))}`;
    return this.#out.write(this.#encode({ ...this.#header(hidden, stat, 'file'), mode: 0, size: 0 }));
  }

  #header(name: string, stat: FileStat, type: TarEntryType): TarHeader {
    const { clampMtime, owner } = this.#options;
    const clamped = clampMtime !== undefined && stat.mtime.seconds >= clampMtime;
    return {
      name,
      type,
      mode: stat.mode & 0o7777,
      uid: owner?.uid ?? stat.uid,
      gid: owner?.gid ?? stat.gid,
      size: type === 'file' ? stat.sizeBytes : 0,
      mtime: clamped ? { seconds: clampMtime, nanoseconds: 0 } : stat.mtime,
      deviceMajor: type === 'char' || type === 'block' ? stat.deviceMajor : 0,
      deviceMinor: type === 'char' || type === 'block' ? stat.deviceMinor : 0,
    };
  }

  #encode(header: TarHeader, extents?: readonly Extent[]): Buffer {
    return encodeEntry(header, extents).bytes;
  }

  async #head(parent: number, name: string, path: string, stat: FileStat, type: TarEntryType): Promise<void> {
    const header = this.#header(path, stat, type);
    if (type === 'symlink') header.linkName = readlinkAt(parent, bytesOf(name)).toString('latin1');
    const xattrs = name === '' ? undefined : readXattrs(parent, name);
    await this.#out.write(this.#encode(xattrs === undefined ? header : { ...header, xattrs }));
  }

  async #file(parent: number, name: string, path: string): Promise<void> {
    const flags = O.RDONLY | O.NOFOLLOW | O.NONBLOCK | O.NOCTTY;
    // A descriptor of the file itself (O_PATH) is opened through /proc: by name it could be another by now.
    const fd = opened(() =>
      name === ''
        ? openAt(AT_FDCWD, `/proc/self/fd/${parent}`, O.RDONLY | O.NONBLOCK | O.NOCTTY)
        : openAt(parent, bytesOf(name), flags),
    );
    if (fd === undefined) return;
    try {
      const now = statFd(fd);
      if (typeOf(now) !== S_IF.REG) return;
      const xattrs = readXattrsFd(fd);
      const header = { ...this.#header(path, now, 'file'), ...(xattrs === undefined ? {} : { xattrs }) };
      const extents = this.#sparse(fd, now);
      const { bytes, storedBytes } = encodeEntry(header, extents);
      await this.#out.write(bytes);
      for (const extent of extents ?? [{ offset: 0, length: now.sizeBytes }]) await this.#content(fd, extent);
      await this.#out.write(paddingOf(storedBytes));
    } finally {
      closeFd(fd);
    }
  }

  /** The parts that hold data, where enough of the file is holes. */
  #sparse(fd: number, stat: FileStat): Extent[] | undefined {
    const least = this.#options.sparseFromBytes ?? DEFAULT_SPARSE_FROM;
    if (stat.sizeBytes - stat.allocatedBytes < least) return undefined;
    const extents = dataExtents(fd, stat.sizeBytes);
    const data = extents.reduce((total, { length }) => total + length, 0);
    return stat.sizeBytes - data < least ? undefined : extents;
  }

  async #content(fd: number, { offset, length }: Extent): Promise<void> {
    for (let done = 0; done < length; ) {
      const room = await this.#out.room();
      const read = readSync(fd, room, 0, Math.min(room.length, length - done), offset + done);
      if (read === 0) {
        for (let left = length - done; left > 0; left -= ZEROS.length)
          await this.#out.write(ZEROS.subarray(0, Math.min(left, ZEROS.length)));
        return;
      }
      this.#out.advance(read);
      done += read;
      await this.#breathe();
    }
  }
}

const below = (prefix: string, name: string): string =>
  prefix === '' || prefix === '/' ? `${prefix}${name}` : `${prefix}/${name}`;

/** Undefined where what was to be opened is gone or has become something else. */
function opened(open: () => number): number | undefined {
  try {
    return open();
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'ELOOP', 'ENXIO'].some((code) => isErrno(error, code))) return undefined;
    throw error;
  }
}
