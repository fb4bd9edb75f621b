import { watch } from 'node:fs';
import { dirname } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import type { LogFile, LogFiles } from './files.ts';
import { LineParser, type LogLine } from './lines.ts';
import { tailOffset } from './tail.ts';

const CHUNK_BYTES = 64 * 1024;
/** A change of state writes nothing to the log's directory: look again after this. */
const LOOK_AGAIN_MS = 200;

/** Reads a log and its rotated files, oldest first, and goes on with what comes. Messages come in batches, as chunks of the file give them. */
export class LogReader {
  readonly #files: LogFiles;
  readonly #path: string;
  readonly #signal: AbortSignal;
  readonly #parser = new LineParser();
  #open: LogFile[] = [];
  /** In the last of the open files: what comes after belongs to `live`. */
  #position = 0;

  private constructor(files: LogFiles, path: string, signal: AbortSignal) {
    this.#files = files;
    this.#path = path;
    this.#signal = signal;
  }

  static async open(files: LogFiles, path: string, signal: AbortSignal): Promise<LogReader> {
    const reader = new LogReader(files, path, signal);
    reader.#open = await files.openAll(path);
    reader.#position = await reader.#sizeOfLast();
    return reader;
  }

  async #sizeOfLast(): Promise<number> {
    return (await this.#open.at(-1)?.handle.stat())?.size ?? 0;
  }

  /** All there was when the log was opened, or the last `tail` messages of it. `ended`: a line without an end is given too. */
  async *existing(tail: number | 'all', ended: boolean): AsyncGenerator<LogLine[]> {
    if (tail === 0) return;
    const from = tail === 'all' ? { file: 0, offset: 0 } : await this.#tailStart(tail);
    let skip = 0;
    if (tail !== 'all') {
      // Long lines are several messages: how many there are is known only when they have been looked at.
      const counter = new LineParser();
      let messages = 0;
      for await (const chunk of this.#chunks(from)) messages += counter.feed(chunk).length;
      if (ended) messages += counter.flush().length;
      skip = Math.max(0, messages - tail);
    }
    const unskipped = (batch: LogLine[]) => {
      const taken = Math.min(skip, batch.length);
      skip -= taken;
      return taken === 0 ? batch : batch.slice(taken);
    };
    for await (const chunk of this.#chunks(from)) yield unskipped(this.#parser.feed(chunk));
    if (ended) yield unskipped(this.#parser.flush());
  }

  async #tailStart(tail: number): Promise<{ file: number; offset: number }> {
    let missing = tail;
    for (let file = this.#open.length - 1; file >= 0; file--) {
      const { handle, compressed } = this.#open[file]!;
      if (compressed) {
        missing -= await linesOf(this.#chunks({ file, offset: 0 }, file));
        if (missing <= 0) return { file, offset: 0 };
        continue;
      }
      const size = file === this.#open.length - 1 ? this.#position : (await handle.stat()).size;
      const { offset, lines } = await tailOffset(handle, size, missing);
      if (offset > 0) return { file, offset };
      missing -= lines;
      if (missing <= 0) return { file, offset: 0 };
    }
    return { file: 0, offset: 0 };
  }

  /** Bytes from a place in the open files up to where they ended when they were opened, or to the end of one of them. */
  async *#chunks(from: { file: number; offset: number }, to = this.#open.length - 1): AsyncGenerator<Buffer> {
    for (let index = from.file; index <= to; index++) {
      const { handle, compressed } = this.#open[index]!;
      const offset = index === from.file ? from.offset : 0;
      const size = index < this.#open.length - 1 || compressed ? Number.POSITIVE_INFINITY : this.#position;
      if (compressed) yield* unzipped(this.#range(handle, 0, size));
      else yield* this.#range(handle, offset, size);
    }
  }

  async *#range(handle: LogFile['handle'], from: number, to: number): AsyncGenerator<Buffer> {
    for (let position = from; position < to && !this.#signal.aborted; ) {
      const buffer = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, to - position));
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, position);
      if (bytesRead === 0) return;
      position += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  }

  /** What is written after `existing`, across rotations, until `over` says that nothing comes any more. Look at `over` first, then read. */
  async *live(over: () => boolean): AsyncGenerator<LogLine[]> {
    let wake = () => {};
    const watcher = watch(dirname(this.#path), () => wake());
    watcher.on('error', () => {});
    const onAbort = () => wake();
    this.#signal.addEventListener('abort', onAbort);
    try {
      while (!this.#signal.aborted) {
        const last = over();
        yield* this.#toEnd();
        if (await this.#next()) continue;
        if (last) {
          yield this.#parser.flush();
          return;
        }
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, LOOK_AGAIN_MS);
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

  async *#toEnd(): AsyncGenerator<LogLine[]> {
    const current = this.#open.at(-1);
    if (current === undefined) return;
    if (current.compressed) {
      // Only a slow reader comes upon one here, whole; a place in it means that it has been read.
      if (this.#position > 0) return;
      this.#position = 1;
      for await (const chunk of this.#chunks({ file: this.#open.length - 1, offset: 0 }))
        yield this.#parser.feed(chunk);
      return;
    }
    for await (const chunk of this.#range(current.handle, this.#position, Number.POSITIVE_INFINITY)) {
      this.#position += chunk.length;
      yield this.#parser.feed(chunk);
    }
  }

  /** Goes on to the file after the current one, if the monitor writes there already and the current one is read to its end. */
  async #next(): Promise<boolean> {
    const current = this.#open.at(-1);
    const next = await this.#files.openAfter(this.#path, current?.sequence ?? Number.NEGATIVE_INFINITY);
    if (next === undefined) return false;
    const size = current === undefined || current.compressed ? 0 : (await current.handle.stat()).size;
    if (current !== undefined && !current.compressed && size > this.#position) {
      // Written between the last look and the change-over.
      await next.handle.close();
      return true;
    }
    this.#open.push(next);
    this.#position = 0;
    for (const { handle } of this.#open.splice(0, this.#open.length - 1)) await handle.close();
    return true;
  }

  async close(): Promise<void> {
    for (const { handle } of this.#open.splice(0)) await handle.close();
  }
}

/** An error of either side ends the other. */
async function* unzipped(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const gunzip = createGunzip();
  const done = pipeline(source, gunzip);
  done.catch(() => {});
  yield* gunzip as AsyncIterable<Buffer>;
  await done;
}

async function linesOf(chunks: AsyncIterable<Buffer>): Promise<number> {
  const parser = new LineParser();
  let lines = 0;
  for await (const chunk of chunks) lines += parser.feed(chunk).length;
  return lines;
}
