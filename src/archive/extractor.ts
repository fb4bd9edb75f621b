import { EngineError, invalid, isErrno } from '../common/index.ts';
import {
  chmodAt,
  chmodFd,
  chownAt,
  chownFd,
  closeFd,
  type FileStat,
  type FileTime,
  findAt,
  linkAt,
  mkdirAt,
  mknodAt,
  O,
  openAt,
  S_IF,
  symlinkAt,
  unlinkAt,
  utimesAt,
  utimesFd,
} from '../sys/index.ts';
import { markOpaque, pathBelow, writeXattr } from './attributes.ts';
import { components, Directories, type OpenDirectory } from './directories.ts';
import { FileWriter } from './file-writer.ts';
import { byteName, bytesOf, textOf } from './names.ts';
import type { TarSink } from './parser.ts';
import { isDirectory, isWhiteout, removeNow, typeOf } from './tree.ts';
import type { Owner, TarHeader, Unsettled } from './types.ts';
import { whiteoutOf } from './whiteouts.ts';

export interface ExtractorOptions {
  owner?: Owner | undefined;
  noOverwriteDirNonDir?: boolean | undefined;
  /** What messages call the directory that is extracted into. */
  shownRoot?: string | undefined;
  topEntry?: boolean | undefined;
  renameTop?: string | undefined;
  maxEntries?: number | undefined;
  /** Whiteouts become overlayfs's. */
  overlay?: boolean | undefined;
}

const DEFAULT_MAX_ENTRIES = 10_000_000;

interface OpenFile {
  fd: number;
  directory: OpenDirectory;
  name: string;
  header: TarHeader;
  writer: FileWriter;
}

/**
 * Makes files of archive entries, synchronously. Everything happens relative to directory descriptors inside the root; a thing is
 * always made anew (O_EXCL; what was there goes first), so nothing can be written through a link, device or fifo that an
 * earlier entry or somebody else put there. The last of several entries with one name wins.
 */
export class Extractor implements TarSink {
  readonly #directories: Directories;
  readonly #options: ExtractorOptions;
  readonly #umask = process.umask();
  readonly #euid = process.geteuid?.() ?? 0;
  readonly #egid = process.getegid?.() ?? 0;
  /** Set at the end, because making what is inside changes them. By path; the last entry's counts. */
  readonly #directoryTimes = new Map<string, FileTime>();
  #rootOpaque = false;
  #file: OpenFile | undefined;
  entries = 0;
  sizeBytes = 0;

  constructor(root: string, options: ExtractorOptions) {
    this.#options = options;
    this.#directories = new Directories(root, { overlay: options.overlay === true });
  }

  entry(header: TarHeader): void {
    if (++this.entries > (this.#options.maxEntries ?? DEFAULT_MAX_ENTRIES))
      throw invalid(`archive has more than the ${this.#options.maxEntries ?? DEFAULT_MAX_ENTRIES} entries allowed`);
    try {
      this.#make(header);
    } catch (error) {
      if (error instanceof EngineError) throw error;
      throw this.#explained(error as NodeJS.ErrnoException, header);
    }
  }

  /** What the archive cannot have (a link to nothing, a name that is too long) is its fault; the rest is the machine's. */
  #explained(error: NodeJS.ErrnoException, header: TarHeader): Error {
    const faulty = ['ENAMETOOLONG', 'ENOTDIR', 'EISDIR', 'ELOOP', 'EINVAL', 'EILSEQ', 'EFBIG'].includes(
      error.code ?? '',
    );
    const text = `archive entry ${JSON.stringify(textOf(header.name))}: ${error.message}`;
    if (faulty) return invalid(text, error);
    return Object.assign(new Error(text, { cause: error }), { code: error.code });
  }

  data(chunk: Buffer, offset: number): void {
    this.#file?.writer.write(chunk, offset);
  }

  end(): void {
    const file = this.#file;
    if (file === undefined) return;
    this.#file = undefined;
    try {
      this.#complete(file);
    } catch (error) {
      throw this.#explained(error as NodeJS.ErrnoException, file.header);
    } finally {
      closeFd(file.fd);
    }
  }

  #complete(file: OpenFile): void {
    file.writer.finish();
    const { header, fd } = file;
    const { uid, gid } = this.#ownerOf(header);
    const owned = uid === this.#euid && gid === this.#egid && !file.directory.setGid;
    // Owner first: changing it takes set-id bits and capabilities away.
    if (!owned) chownFd(fd, uid, gid);
    if ((header.mode & (0o7000 | this.#umask)) !== 0) chmodFd(fd, header.mode);
    this.#setXattrs(file.directory.fd, file.name, header);
    utimesFd(fd, header.mtime, header.mtime);
    this.sizeBytes += header.size;
  }

  #ownerOf(header: TarHeader): Owner {
    return this.#options.owner ?? header;
  }

  #path(name: string): string[] {
    const path = components(name);
    if (this.#options.renameTop !== undefined && path.length > 0) path[0] = byteName(this.#options.renameTop);
    return path;
  }

  #make(header: TarHeader): void {
    const path = this.#path(header.name);
    if (path.length === 0) this.#onRoot(header);
    else if (this.#options.overlay !== true || !this.#asWhiteout(path, header)) this.#makeAt(path, header);
  }

  #asWhiteout(path: string[], header: TarHeader): boolean {
    const whiteout = whiteoutOf(path);
    if (whiteout === undefined) return false;
    if (whiteout.kind === 'opaque') this.#opaque(path.slice(0, -1));
    else if (whiteout.kind === 'remove') this.#whiteout(path.slice(0, -1), whiteout.name, header);
    return true;
  }

  #makeAt(path: string[], header: TarHeader): void {
    const directory = this.#directories.get(path.slice(0, -1));
    const name = path.at(-1)!;
    switch (header.type) {
      case 'dir':
        this.#makeDirectory(directory, name, path, header);
        break;
      case 'file':
        this.#makeFile(directory, name, header);
        break;
      case 'hardlink':
        this.#makeHardLink(directory, name, path, header);
        break;
      case 'symlink':
        if (header.linkName === undefined || header.linkName === '')
          throw invalid(`archive entry ${textOf(header.name)}: a symbolic link to nothing`);
        this.#makeNode(directory, name, header, (fd) => symlinkAt(bytesOf(header.linkName ?? ''), fd, bytesOf(name)));
        this.sizeBytes += header.linkName.length;
        break;
      default: {
        const type = { char: S_IF.CHR, block: S_IF.BLK, fifo: S_IF.FIFO }[header.type];
        this.#makeNode(directory, name, header, (fd) =>
          mknodAt(fd, bytesOf(name), type | (header.mode & 0o777), header.deviceMajor, header.deviceMinor),
        );
      }
    }
  }

  #onRoot(header: TarHeader): void {
    if (header.type !== 'dir') {
      // An entry without a name, as odd archivers write: what is there is a directory, and stays.
      if (this.#options.overlay !== true && this.#options.topEntry !== true) return;
      throw invalid('archive entry: its root can only be a directory');
    }
    if (this.#options.topEntry !== true) return;
    const { root } = this.#directories;
    const { uid, gid } = this.#ownerOf(header);
    chownAt(root, '.', uid, gid);
    chmodAt(root, '.', header.mode);
    this.#setXattrs(root, '.', header);
    this.#directoryTimes.set('', header.mtime);
  }

  /**
   * Makes room for a new thing at a name. Answers what was there, if it stays (a directory for a directory). Directories that the
   * caller has at hand may be closed afterwards and are to be looked up anew.
   */
  #clear(directory: OpenDirectory, name: string, header: TarHeader): FileStat | 'hidden' | undefined {
    const bytes = bytesOf(name);
    const there = findAt(directory.fd, bytes);
    if (there === undefined) return undefined;
    const wantsDirectory = header.type === 'dir';
    if (this.#options.noOverwriteDirNonDir === true && isDirectory(there) !== wantsDirectory) {
      const path = JSON.stringify(textOf(components(header.name).join('/')));
      const root = JSON.stringify(this.#options.shownRoot ?? '/');
      throw invalid(
        wantsDirectory
          ? `cannot overwrite non-directory ${path} with directory ${root}`
          : `cannot overwrite directory ${path} with non-directory ${root}`,
      );
    }
    if (isDirectory(there) && wantsDirectory) return there;
    if (isDirectory(there)) {
      removeNow(directory.fd, name);
      this.#directories.forget();
      return undefined;
    }
    if (typeOf(there) === S_IF.REG && there.links === 1) this.sizeBytes -= there.sizeBytes;
    unlinkAt(directory.fd, bytes);
    // What was opened through the link may be another directory by the same name from now on.
    if (typeOf(there) === S_IF.LNK) this.#directories.forget();
    return this.#options.overlay === true && isWhiteout(there) ? 'hidden' : undefined;
  }

  #makeDirectory(given: OpenDirectory, name: string, path: string[], header: TarHeader): void {
    let directory = given;
    const bytes = bytesOf(name);
    try {
      mkdirAt(directory.fd, bytes, 0o700);
    } catch (error) {
      if (!isErrno(error, 'EEXIST')) throw error;
      const there = this.#clear(directory, name, header);
      directory = this.#directories.get(path.slice(0, -1));
      if (there === undefined || there === 'hidden') mkdirAt(directory.fd, bytes, 0o700);
      // The layer below had something here and this layer said it is gone: nothing of it may show through.
      if (there === 'hidden') markOpaque(directory.fd, name);
    }
    const { uid, gid } = this.#ownerOf(header);
    chownAt(directory.fd, bytes, uid, gid);
    chmodAt(directory.fd, bytes, header.mode);
    this.#setXattrs(directory.fd, name, header);
    const key = path.join('/');
    this.#directories.implied.delete(key);
    this.#directoryTimes.set(key, header.mtime);
  }

  #makeFile(given: OpenDirectory, name: string, header: TarHeader): void {
    const bytes = bytesOf(name);
    const flags = O.WRONLY | O.CREAT | O.EXCL | O.NOFOLLOW;
    let directory = given;
    let fd: number;
    try {
      fd = openAt(directory.fd, bytes, flags, header.mode & 0o777);
    } catch (error) {
      if (!isErrno(error, 'EEXIST')) throw error;
      const path = this.#path(header.name);
      this.#clear(directory, name, header);
      directory = this.#directories.get(path.slice(0, -1));
      fd = openAt(directory.fd, bytes, flags, header.mode & 0o777);
    }
    this.#file = { fd, directory, name, header, writer: new FileWriter(fd, header.size) };
  }

  #makeHardLink(directory: OpenDirectory, name: string, path: string[], header: TarHeader): void {
    const target = this.#path(header.linkName ?? '');
    if (target.length === 0) throw invalid(`archive entry ${textOf(header.name)}: a hard link to the root`);
    if (this.#options.overlay === true && target.some((part) => part.startsWith('.wh.')))
      throw invalid(`archive entry ${textOf(header.name)}: a hard link to a whiteout`);
    const missing = () =>
      invalid(
        `archive entry ${textOf(header.name)}: hard link to ${textOf(target.join('/'))}, which the archive has not brought before`,
      );
    const targetDirectory = this.#directories.get(target.slice(0, -1));
    const targetName = bytesOf(target.at(-1)!);
    const there = findAt(targetDirectory.fd, targetName);
    if (there === undefined) throw missing();
    if (isDirectory(there)) throw invalid(`archive entry ${textOf(header.name)}: a hard link to a directory`);
    // A link to itself, by any spelling of its path: removing what is there would lose the file.
    if (findAt(directory.fd, bytesOf(name))?.identity !== there.identity) {
      this.#clear(directory, name, header);
      // Clearing may have closed what was open.
      const from = this.#directories.get(target.slice(0, -1));
      const to = this.#directories.get(path.slice(0, -1));
      try {
        linkAt(from.fd, targetName, to.fd, bytesOf(name));
      } catch (error) {
        if (isErrno(error, 'ENOENT')) throw missing();
        throw error;
      }
    }
    this.#relabel(this.#directories.get(path.slice(0, -1)), name, there, header);
  }

  /** As in Docker (moby/go-archive, createTarFile) the last entry that names a file says what it is like, also if it is a link. */
  #relabel({ fd }: OpenDirectory, name: string, before: FileStat, header: TarHeader): void {
    const bytes = bytesOf(name);
    const { uid, gid } = this.#ownerOf(header);
    // A change of owner takes set-id bits and capabilities away, so none that changes nothing.
    if (uid !== before.uid || gid !== before.gid) chownAt(fd, bytes, uid, gid);
    if (typeOf(before) !== S_IF.LNK) chmodAt(fd, bytes, header.mode);
    this.#setXattrs(fd, name, header);
    if (typeOf(before) !== S_IF.LNK) utimesAt(fd, bytes, header.mtime, header.mtime);
  }

  #makeNode(given: OpenDirectory, name: string, header: TarHeader, make: (directory: number) => void): void {
    const bytes = bytesOf(name);
    let directory = given;
    try {
      make(directory.fd);
    } catch (error) {
      if (!isErrno(error, 'EEXIST')) throw error;
      this.#clear(directory, name, header);
      directory = this.#directories.get(this.#path(header.name).slice(0, -1));
      make(directory.fd);
    }
    const { uid, gid } = this.#ownerOf(header);
    chownAt(directory.fd, bytes, uid, gid);
    if (header.type !== 'symlink') chmodAt(directory.fd, bytes, header.mode);
    this.#setXattrs(directory.fd, name, header);
    utimesAt(directory.fd, bytes, header.mtime, header.mtime);
  }

  #setXattrs(directory: number, name: string, header: TarHeader): void {
    if (header.xattrs === undefined || header.xattrs.size === 0) return;
    const path = pathBelow(directory, name);
    for (const [key, value] of header.xattrs) writeXattr(path, key, value);
  }

  #opaque(path: string[]): void {
    // overlayfs does not look at the attribute of a layer's own root: whiteouts must do it (settle.ts).
    if (path.length === 0) this.#rootOpaque = true;
    else {
      const { fd } = this.#directories.get(path);
      markOpaque(fd, '.');
    }
  }

  /** A whiteout speaks of the layers below only: what this layer itself brings under the name stays. */
  #whiteout(parent: string[], name: string, header: TarHeader): void {
    const { fd } = this.#directories.get(parent);
    const there = findAt(fd, bytesOf(name));
    if (there === undefined) {
      mknodAt(fd, bytesOf(name), S_IF.CHR, 0, 0);
      utimesAt(fd, bytesOf(name), header.mtime, header.mtime);
    } else if (isDirectory(there)) markOpaque(fd, name);
  }

  /** Call once, when the archive has ended well. */
  finish(): void {
    for (const [key, time] of this.#directoryTimes) {
      const path = key === '' ? [] : key.split('/');
      const name = path.length === 0 ? '.' : bytesOf(path.at(-1)!);
      const { fd } = this.#directories.get(path.slice(0, -1));
      const there = findAt(fd, name);
      if (there !== undefined && isDirectory(there)) utimesAt(fd, name, time, time);
    }
  }

  /** What is left to do when it is known what the layer stands on. */
  get unsettled(): Unsettled {
    return { parents: [...this.#directories.implied], opaqueRoot: this.#rootOpaque };
  }

  /** Closes what is open; also after a failure. */
  close(): void {
    if (this.#file !== undefined) closeFd(this.#file.fd);
    this.#file = undefined;
    this.#directories.close();
  }
}
