import { watch } from 'node:fs';
import { type FileHandle, open, rename, rm, stat, truncate } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isErrno, parseRfc3339Ns, unsupported } from '../../common/index.ts';
import type { Container, ContainerBook } from '../containers/book.ts';
import type { LogService } from '../types.ts';
import { LineParser, type LogLine, utcTime } from './lines.ts';

export interface LogParts {
  book: ContainerBook;
  logPath: (id: string) => string;
}

type ReadOptions = Parameters<LogService['read']>[1];
const CHUNK = 256 * 1024;

/** Reads containers' logs as Docker's json-file driver answers. */
export class Logs implements LogService {
  readonly #parts: LogParts;
  constructor(parts: LogParts) {
    this.#parts = parts;
  }

  async read(ref: string, options: ReadOptions): ReturnType<LogService['read']> {
    const container = this.#parts.book.get(ref);
    if (container.record.host.LogConfig?.Type === 'none')
      throw unsupported('configured logging driver does not support reading');
    return { tty: container.record.config.Tty === true, output: this.#frames(container, options) };
  }

  async *#frames(container: Container, options: ReadOptions): AsyncGenerator<{ stream: 1 | 2; data: Buffer }> {
    const details = options.details ? detailsOf(container) : '';
    for await (const line of this.#lines(container, options)) {
      if (line.stream === 1 ? !options.stdout : !options.stderr) continue;
      const time = utcTime(line.time);
      const prefix = `${options.timestamps ? `${time} ` : ''}${options.details ? `${details} ` : ''}`;
      yield { stream: line.stream, data: prefix === '' ? line.data : Buffer.concat([Buffer.from(prefix), line.data]) };
    }
  }

  async *#lines(container: Container, options: ReadOptions): AsyncGenerator<LogLine> {
    const { since, until, tail, signal } = options;
    const path = this.#parts.logPath(container.id);
    const inTime = (line: LogLine) => {
      if (since === undefined && until === undefined) return true;
      const at = parseRfc3339Ns(utcTime(line.time));
      return (since === undefined || at >= since) && (until === undefined || at <= until);
    };
    const follower = new Follower(path, container, signal);
    try {
      if (tail === 'all') {
        for await (const line of follower.existing()) if (inTime(line)) yield line;
      } else if (tail === 0) await follower.skipToEnd();
      else {
        const kept: LogLine[] = [];
        for await (const line of follower.existing()) {
          if (!inTime(line)) continue;
          kept.push(line);
          if (kept.length > tail) kept.shift();
        }
        yield* kept;
      }
      if (!options.follow) return;
      for await (const line of follower.live()) {
        if (until !== undefined && parseRfc3339Ns(utcTime(line.time)) > until) return;
        if (inTime(line)) yield line;
      }
    } finally {
      await follower.close();
    }
  }
}

/** `--details`: labels and variables that the log options name. */
function detailsOf(container: Container): string {
  const { config, host } = container.record;
  const options = host.LogConfig?.Config ?? {};
  const extra: [string, string][] = [];
  for (const name of (options.env ?? '').split(',').filter((text) => text !== '')) {
    const pair = (config.Env ?? []).find((text) => text.startsWith(`${name}=`));
    if (pair !== undefined) extra.push([name, pair.slice(name.length + 1)]);
  }
  for (const name of (options.labels ?? '').split(',').filter((text) => text !== '')) {
    const value = config.Labels?.[name];
    if (value !== undefined) extra.push([name, value]);
  }
  return extra
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${encodeURIComponent(key)}=${encodeURIComponent(value)}`)
    .join(',');
}

/** Reads a log and its rotated parts, oldest first, and goes on with what comes. */
class Follower {
  readonly #path: string;
  readonly #container: Container;
  readonly #signal: AbortSignal;
  readonly #parser = new LineParser();
  #file: FileHandle | undefined;
  #position = 0;

  constructor(path: string, container: Container, signal: AbortSignal) {
    this.#path = path;
    this.#container = container;
    this.#signal = signal;
  }

  async #open(): Promise<FileHandle | undefined> {
    try {
      this.#file ??= await open(this.#path, 'r');
      return this.#file;
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return undefined;
      throw error;
    }
  }

  async *#toEnd(): AsyncGenerator<LogLine> {
    const file = await this.#open();
    if (file === undefined) return;
    const buffer = Buffer.allocUnsafe(CHUNK);
    for (;;) {
      if (this.#signal.aborted) return;
      const { bytesRead } = await file.read(buffer, 0, CHUNK, this.#position);
      if (bytesRead === 0) return;
      this.#position += bytesRead;
      yield* this.#parser.feed(Buffer.from(buffer.subarray(0, bytesRead)));
    }
  }

  async *existing(): AsyncGenerator<LogLine> {
    for (const old of await rotated(this.#path)) {
      const file = await open(old, 'r').catch(() => undefined);
      if (file === undefined) continue;
      try {
        for await (const chunk of file.createReadStream({ autoClose: false, highWaterMark: CHUNK }))
          yield* this.#parser.feed(chunk as Buffer);
      } finally {
        await file.close();
      }
    }
    yield* this.#toEnd();
    if (!this.#container.running) yield* this.#parser.flush();
  }

  async skipToEnd(): Promise<void> {
    this.#position = await stat(this.#path).then(
      ({ size }) => size,
      () => 0,
    );
  }

  async *live(): AsyncGenerator<LogLine> {
    let wake = () => {};
    const watcher = watch(dirname(this.#path), () => wake());
    const onAbort = () => wake();
    this.#signal.addEventListener('abort', onAbort);
    try {
      for (;;) {
        const running = this.#container.running || this.#container.state.status === 'restarting';
        yield* this.#toEnd();
        if (this.#signal.aborted) return;
        if (await this.#rotatedAway()) continue;
        if (!running) {
          yield* this.#parser.flush();
          return;
        }
        // A change of state writes nothing to this directory: look again soon.
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, 200);
          wake = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      }
    } finally {
      watcher.close();
      this.#signal.removeEventListener('abort', onAbort);
    }
  }

  /** After a rotation the open file is an old part; the rest of it has been read. */
  async #rotatedAway(): Promise<boolean> {
    if (this.#file === undefined) return false;
    const [mine, current] = await Promise.all([this.#file.stat(), stat(this.#path).catch(() => undefined)]);
    if (current === undefined) return false;
    if (mine.ino === current.ino) {
      if (current.size < this.#position) this.#position = 0;
      return false;
    }
    await this.#file.close();
    this.#file = undefined;
    this.#position = 0;
    return true;
  }

  async close(): Promise<void> {
    await this.#file?.close();
  }
}

async function rotated(path: string): Promise<string[]> {
  const found: string[] = [];
  for (let index = 1; ; index++) {
    const exists = await stat(`${path}.${index}`).then(
      () => true,
      () => false,
    );
    if (!exists) return found.reverse();
    found.push(`${path}.${index}`);
  }
}

/** Shifts `log.N` up and makes room for a new file; the oldest goes. */
export async function shiftRotated(path: string, maxFiles: number): Promise<void> {
  for (let index = maxFiles - 1; index >= 1; index--) {
    const from = index === 1 ? path : `${path}.${index - 1}`;
    await rename(from, `${path}.${index}`).catch((error: unknown) => {
      if (!isErrno(error, 'ENOENT')) throw error;
    });
  }
  if (maxFiles === 1) await truncate(path, 0);
  await rm(`${path}.${maxFiles}`, { force: true });
}
