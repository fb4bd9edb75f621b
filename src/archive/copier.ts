import { ftruncateSync, readSync, writeSync } from 'node:fs';
import { basename, dirname } from 'node:path/posix';
import { isErrno } from '../common/index.ts';
import {
  chmodAt,
  chmodFd,
  chownAt,
  chownFd,
  cloneFile,
  closeFd,
  copyFileRange,
  dataExtents,
  type FileStat,
  findAt,
  linkAt,
  mkdirAt,
  mknodAt,
  O,
  openAt,
  readlinkAt,
  S_IF,
  statFd,
  symlinkAt,
  unlinkAt,
  utimesAt,
  utimesFd,
} from '../sys/index.ts';
import { pathBelow, readXattrs, readXattrsFd, writeXattr, writeXattrFd } from './attributes.ts';
import { changedMode } from './mode-change.ts';
import { byteName, bytesOf } from './names.ts';
import { type Breath, isDirectory, namesIn, openDirectory, removeNow, typeOf } from './tree.ts';
import type { CopyTreeOptions, CopyTreeResult } from './types.ts';

/** One step of a copy, so that a cancel is seen within a large file. */
const STEP = 16 * 1024 * 1024;

/**
 * Copies a tree with content, owner, mode, times, attributes, hard links and holes. Blocks are shared or copied inside the
 * kernel where the file systems can. No link is followed on either side; what is at a name gives way.
 */
export class Copier {
  readonly #breathe: Breath;
  readonly #options: Omit<CopyTreeOptions, 'signal'>;
  /** First copy of each file with several names: directory path and name. */
  readonly #linked = new Map<string, string>();
  readonly #buffer = Buffer.allocUnsafeSlow(256 * 1024);
  #destination = -1;
  #inKernel = true;
  readonly result: CopyTreeResult = { files: 0, sizeBytes: 0 };

  constructor(breathe: Breath, options: Omit<CopyTreeOptions, 'signal'>) {
    this.#breathe = breathe;
    this.#options = options;
  }

  /** `source` may be a file; then `destination` is its new name. A directory's children go into `destination`, made if need be. */
  async copy(source: string, destination: string): Promise<void> {
    const from = openAt(-100, source, O.PATH | O.NOFOLLOW);
    const to = openAt(-100, dirname(destination), O.PATH | O.DIRECTORY);
    this.#destination = to;
    try {
      const name = byteName(basename(destination));
      const stat = statFd(from);
      if (!isDirectory(stat)) {
        const parent = openAt(-100, dirname(source), O.PATH | O.DIRECTORY);
        try {
          await this.#entry(parent, byteName(basename(source)), stat, to, name, name);
        } finally {
          closeFd(parent);
        }
        return;
      }
      const there = findAt(to, bytesOf(name));
      if (there === undefined) mkdirAt(to, bytesOf(name), 0o700);
      const inside = openDirectory(from, '.');
      try {
        await this.#into(inside, stat, to, name, name, there !== undefined && this.#options.keepTop === true);
      } finally {
        closeFd(inside);
      }
    } finally {
      closeFd(from);
      closeFd(to);
    }
  }

  async #into(from: number, stat: FileStat, parent: number, name: string, path: string, keep: boolean): Promise<void> {
    const to = openDirectory(parent, name);
    try {
      const kept = keep ? statFd(to) : undefined;
      for (const child of namesIn(from)) {
        const found = findAt(from, bytesOf(child));
        if (found !== undefined) await this.#entry(from, child, found, to, child, `${path}/${child}`);
        await this.#breathe();
      }
      if (kept === undefined) {
        this.#own(to, stat);
        for (const [key, value] of readXattrsFd(from) ?? []) writeXattrFd(to, key, value);
      }
      utimesFd(to, (kept ?? stat).atime, (kept ?? stat).mtime);
    } finally {
      closeFd(to);
    }
  }

  #own(fd: number, stat: FileStat): void {
    chownFd(fd, this.#options.owner?.uid ?? stat.uid, this.#options.owner?.gid ?? stat.gid);
    chmodFd(fd, changedMode(this.#options.mode ?? stat.mode & 0o7777, stat.mode, isDirectory(stat)));
  }

  async #entry(from: number, name: string, stat: FileStat, to: number, newName: string, path: string): Promise<void> {
    const bytes = bytesOf(newName);
    const there = findAt(to, bytes);
    if (there !== undefined && !(isDirectory(there) && isDirectory(stat))) {
      if (isDirectory(there)) removeNow(to, newName);
      else unlinkAt(to, bytes);
    }
    if (isDirectory(stat)) {
      if (there === undefined || !isDirectory(there)) mkdirAt(to, bytes, 0o700);
      const inside = openDirectory(from, name);
      try {
        return await this.#into(inside, stat, to, newName, path, false);
      } finally {
        closeFd(inside);
      }
    }
    if (stat.links > 1) {
      const first = this.#linked.get(stat.identity);
      if (first !== undefined && this.#link(first, to, bytes)) return;
      this.#linked.set(stat.identity, path);
    }
    if (typeOf(stat) === S_IF.REG) return this.#file(from, name, to, bytes);
    this.#node(from, name, stat, to, newName);
  }

  #link(first: string, to: number, name: Buffer): boolean {
    try {
      linkAt(this.#destination, bytesOf(first), to, name);
      return true;
    } catch (error) {
      // Somebody took the first copy away, or it has as many links as it can: then this is a copy of its own.
      if (isErrno(error, 'ENOENT') || isErrno(error, 'EMLINK')) return false;
      throw error;
    }
  }

  #node(from: number, name: string, stat: FileStat, to: number, newName: string): void {
    const bytes = bytesOf(newName);
    const type = typeOf(stat);
    // A socket's name means nothing without the process behind it.
    if (type === S_IF.SOCK) return;
    if (type === S_IF.LNK) symlinkAt(readlinkAt(from, bytesOf(name)), to, bytes);
    else mknodAt(to, bytes, stat.mode, stat.deviceMajor, stat.deviceMinor);
    chownAt(to, bytes, this.#options.owner?.uid ?? stat.uid, this.#options.owner?.gid ?? stat.gid);
    if (type !== S_IF.LNK) chmodAt(to, bytes, stat.mode & 0o7777);
    for (const [key, value] of readXattrs(from, name) ?? []) writeXattr(pathBelow(to, newName), key, value);
    utimesAt(to, bytes, stat.atime, stat.mtime);
    this.result.files++;
  }

  async #file(from: number, name: string, to: number, newName: Buffer): Promise<void> {
    const source = openAt(from, bytesOf(name), O.RDONLY | O.NOFOLLOW | O.NONBLOCK);
    try {
      const stat = statFd(source);
      const target = openAt(to, newName, O.RDWR | O.CREAT | O.EXCL | O.NOFOLLOW, 0o600);
      try {
        await this.#bytes(source, target, stat);
        this.#own(target, stat);
        for (const [key, value] of readXattrsFd(source) ?? []) writeXattrFd(target, key, value);
        utimesFd(target, stat.atime, stat.mtime);
      } finally {
        closeFd(target);
      }
      this.result.files++;
      this.result.sizeBytes += stat.sizeBytes;
    } finally {
      closeFd(source);
    }
  }

  async #bytes(source: number, target: number, stat: FileStat): Promise<void> {
    if (stat.sizeBytes === 0) return;
    if (stat.sizeBytes > this.#buffer.length && cloneFile(source, target)) return;
    const sparse = stat.allocatedBytes < stat.sizeBytes;
    const extents = sparse ? dataExtents(source, stat.sizeBytes) : [{ offset: 0, length: stat.sizeBytes }];
    let end = 0;
    for (const { offset, length } of extents) {
      for (let at = offset; at < offset + length; ) {
        const copied = this.#step(source, target, at, Math.min(STEP, offset + length - at));
        if (copied === 0) break;
        at += copied;
        await this.#breathe();
      }
      end = offset + length;
    }
    if (end < stat.sizeBytes) ftruncateSync(target, stat.sizeBytes);
  }

  #step(source: number, target: number, offset: number, length: number): number {
    // For a small file one read and one write cost less.
    if (this.#inKernel && length > this.#buffer.length)
      try {
        return copyFileRange(source, offset, target, offset, length);
      } catch (error) {
        if (!['EXDEV', 'EINVAL', 'EOPNOTSUPP', 'ENOTSUP', 'ENOSYS'].some((code) => isErrno(error, code))) throw error;
        this.#inKernel = false;
      }
    const read = readSync(source, this.#buffer, 0, Math.min(length, this.#buffer.length), offset);
    for (let done = 0; done < read; ) done += writeSync(target, this.#buffer, done, read - done, offset + done);
    return read;
  }
}
