import { type FileHandle, open, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { isErrno } from '../../common/index.ts';

/** One file of a log, open. It stays readable when a rotation renames or drops it. */
export interface LogFile {
  handle: FileHandle;
  compressed: boolean;
  /** Counts up with each rotation; files of earlier daemons have numbers below nought. */
  sequence: number;
}

interface Log {
  /** Sequence of the file that the monitor writes to. */
  sequence: number;
  tail: Promise<unknown>;
}

/**
 * The files of each log: `log` that conmon writes to, and rotated ones `log.1` (the newest) up to `log.N`, perhaps compressed (`.gz`).
 * Renaming and opening wait for one another, so that a reader gets every file once, in order.
 */
export class LogFiles {
  readonly #logs = new Map<string, Log>();

  #log(path: string): Log {
    const log = this.#logs.get(path) ?? { sequence: 0, tail: Promise.resolve() };
    this.#logs.set(path, log);
    return log;
  }

  forget(path: string): void {
    this.#logs.delete(path);
  }

  exclusive<T>(path: string, work: () => Promise<T>): Promise<T> {
    const log = this.#log(path);
    const result = log.tail.then(work, work);
    log.tail = result.catch(() => {});
    return result;
  }

  /** Opens all that there is, oldest first; the caller closes them. */
  openAll(path: string): Promise<LogFile[]> {
    return this.exclusive(path, async () => {
      const files: LogFile[] = [];
      for (const { name, index, compressed } of (await filesOf(path)).reverse()) {
        const handle = await openIfThere(join(dirname(path), name));
        if (handle !== undefined) files.push({ handle, compressed, sequence: this.#log(path).sequence - index });
      }
      return files;
    });
  }

  /** The file that comes after one, or the oldest left if that was dropped; undefined while there is none. */
  openAfter(path: string, sequence: number): Promise<LogFile | undefined> {
    return this.exclusive(path, async () => {
      const current = this.#log(path).sequence;
      if (sequence >= current) return undefined;
      const next = (await filesOf(path)).findLast(({ index }) => current - index > sequence);
      if (next === undefined) return undefined;
      const handle = await openIfThere(join(dirname(path), next.name));
      return handle && { handle, compressed: next.compressed, sequence: current - next.index };
    });
  }

  /** Renames each file to the next number; the caller then makes the monitor open a new `log`. Keeps `log.1` to `log.<kept>`. */
  shift(path: string, kept: number): Promise<void> {
    return this.exclusive(path, async () => {
      const directory = dirname(path);
      // The highest number first: a crash in between leaves a gap, never two files of one number.
      for (const { name, index, compressed } of (await filesOf(path)).reverse()) {
        if (!compressed) await rm(join(directory, `${name}.gz`), { force: true });
        if (index > 0 && index >= kept) await rm(join(directory, name));
        else await rename(join(directory, name), `${path}.${index + 1}${compressed ? '.gz' : ''}`);
      }
      this.#log(path).sequence++;
    });
  }

  /** Drops the rotated file of a log that keeps none, once nothing is written to it any more. */
  dropAbove(path: string, kept: number): Promise<void> {
    return this.exclusive(path, async () => {
      for (const { name, index } of await filesOf(path)) if (index > kept) await rm(join(dirname(path), name));
    });
  }
}

/** Newest first; of a file whose compression a crash cut off there are both forms, and the plain one counts. */
export async function filesOf(path: string): Promise<{ name: string; index: number; compressed: boolean }[]> {
  const base = basename(path);
  const found = new Map<number, { name: string; index: number; compressed: boolean }>();
  for (const name of await readdir(dirname(path)).catch(() => [])) {
    const match = name.startsWith(base) ? /^(?:\.(\d+)(\.gz)?)?$/.exec(name.slice(base.length)) : null;
    if (match === null) continue;
    const index = Number(match[1] ?? 0);
    const compressed = match[2] !== undefined;
    if (!compressed || !found.has(index)) found.set(index, { name, index, compressed });
  }
  return [...found.values()].sort((a, b) => a.index - b.index);
}

async function openIfThere(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, 'r');
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}
