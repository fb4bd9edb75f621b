import { readlinkSync } from 'node:fs';
import { invalid, isErrno } from '../common/index.ts';
import { chmodAt, closeFd, findAt, mkdirAt, O, openAt, openAt2, RESOLVE, statFd, unlinkAt } from '../sys/index.ts';
import { markOpaque, pathBelow } from './attributes.ts';
import { bytesOf, textOf } from './names.ts';
import { isDirectory, isWhiteout } from './tree.ts';

export interface OpenDirectory {
  fd: number;
  /** New files take the directory's group (set-group-id bit). */
  setGid: boolean;
}

/** An archive's name as clean components. Throws invalid where it leads out (`../x`, `a/../../x`); a leading `/` means the root. */
export function components(name: string): string[] {
  const parts: string[] = [];
  for (const part of name.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') parts.push(part);
    else if (parts.pop() === undefined)
      throw invalid(`archive entry ${JSON.stringify(textOf(name))} leads out of its root`);
  }
  return parts;
}

const KEPT = 128;
/** As the system does (linux/namei.h, MAXSYMLINKS). */
const MAX_LINKS = 40;

/**
 * The directories of an extraction, opened once and kept while in use. Every lookup is resolved by the kernel inside the
 * root (openat2 RESOLVE_IN_ROOT): neither a symbolic link of an earlier entry nor one that somebody swaps in meanwhile leads out.
 * What was opened stays that directory, whatever happens to its name.
 */
export class Directories {
  readonly #root: number;
  readonly #overlay: boolean;
  readonly #open = new Map<string, OpenDirectory>();
  /** Parents that were made without an entry of their own, by path, each after its own parent. */
  readonly implied = new Set<string>();

  constructor(root: string, { overlay }: { overlay: boolean }) {
    this.#root = openAt(-100, root, O.PATH | O.DIRECTORY);
    this.#overlay = overlay;
  }

  get root(): number {
    return this.#root;
  }

  /** The directory, made with its parents if it is not there. */
  get(path: readonly string[]): OpenDirectory {
    const key = path.join('/');
    const known = this.#open.get(key);
    if (known !== undefined) {
      // Moved to the young end: the map's order is the order of use.
      this.#open.delete(key);
      this.#open.set(key, known);
      return known;
    }
    const fd = this.#find(key) ?? this.#make(path);
    const opened = { fd, setGid: (statFd(fd).mode & 0o2000) !== 0 };
    if (this.#open.size >= KEPT) {
      const [oldest, stale] = this.#open.entries().next().value!;
      closeFd(stale.fd);
      this.#open.delete(oldest);
    }
    this.#open.set(key, opened);
    return opened;
  }

  /** Undefined where it is not. */
  #find(key: string): number | undefined {
    try {
      return openAt2(
        this.#root,
        key === '' ? '.' : bytesOf(key),
        O.PATH | O.DIRECTORY,
        (this.#overlay ? RESOLVE.IN_ROOT : RESOLVE.BENEATH) | RESOLVE.NO_MAGICLINKS,
      );
    } catch (error) {
      // A link to an absolute path means one below the root; one that climbs out is found while it is followed.
      if (isErrno(error, 'EXDEV')) return this.#find(this.#followed(key.split('/')).join('/'));
      if (isErrno(error, 'ENOENT')) return undefined;
      if (isErrno(error, 'ENOTDIR')) return undefined;
      if (isErrno(error, 'ELOOP')) throw invalid(`archive entry: too many symbolic links in ${textOf(key)}`);
      throw error;
    }
  }

  /** The path without links, as a process would go whose root this is; what is missing is taken as it stands. */
  #followed(path: readonly string[]): string[] {
    const pending = [...path];
    const done: string[] = [];
    for (let links = 0; pending.length > 0; ) {
      const part = pending.shift()!;
      if (part === '..') {
        if (done.pop() === undefined)
          throw invalid(`archive entry: ${textOf(path.join('/'))} leads out of its root by a symbolic link`);
        continue;
      }
      const target = this.#linkTarget([...done, part].join('/'));
      if (target === undefined) done.push(part);
      else if (++links > MAX_LINKS)
        throw invalid(`archive entry: too many symbolic links in ${textOf(path.join('/'))}`);
      else {
        pending.unshift(...target.split('/').filter((piece) => piece !== '' && piece !== '.'));
        if (target.startsWith('/')) done.length = 0;
      }
    }
    return done;
  }

  #linkTarget(path: string): string | undefined {
    try {
      return readlinkSync(pathBelow(this.#root, path), 'latin1');
    } catch (error) {
      if (isErrno(error, 'EINVAL') || isErrno(error, 'ENOENT') || isErrno(error, 'ENOTDIR')) return undefined;
      throw error;
    }
  }

  /** What a link to nothing points to is made, so that the link leads somewhere. */
  #makeBehindLink(path: readonly string[]): number | undefined {
    if (this.#linkTarget(path.join('/')) === undefined) return undefined;
    const target = this.#followed(path);
    this.get(target);
    return this.#find(target.join('/'));
  }

  #make(path: readonly string[]): number {
    const behind = this.#overlay ? undefined : this.#makeBehindLink(path);
    if (behind !== undefined) return behind;
    const parent = this.get(path.slice(0, -1)).fd;
    const name = path.at(-1)!;
    const bytes = bytesOf(name);
    const there = findAt(parent, bytes);
    const hidden = there !== undefined && this.#overlay && isWhiteout(there);
    if (hidden) unlinkAt(parent, bytes);
    else if (there !== undefined && !isDirectory(there))
      throw invalid(`archive entry: ${textOf(path.join('/'))} is no directory`);
    mkdirAt(parent, bytes, 0o755);
    if (hidden) markOpaque(parent, name);
    else {
      chmodAt(parent, bytes, 0o755);
      if (this.#overlay) this.implied.add(path.join('/'));
    }
    return openAt(parent, bytes, O.PATH | O.DIRECTORY | O.NOFOLLOW);
  }

  /** Forgets what is open: names may mean other directories now. */
  forget(): void {
    for (const { fd } of this.#open.values()) closeFd(fd);
    this.#open.clear();
  }

  close(): void {
    this.forget();
    closeFd(this.#root);
  }
}
