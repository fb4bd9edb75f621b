import { ftruncateSync, writeSync } from 'node:fs';
import { startWriteback } from '../sys/index.ts';

const PAGE = 4096;
const ZERO_PAGE = Buffer.alloc(PAGE);
const isZero = (bytes: Buffer, start: number, end: number): boolean =>
  bytes[start] === 0 && bytes[end - 1] === 0 && ZERO_PAGE.compare(bytes, start, end, 0, end - start) === 0;
/** Only files at least this large are looked through for runs of zeros. */
const HOLES_FROM = 64 * 1024;
/** Large files start towards the disk while more comes, so that the closing sync has less to wait for. */
const WRITEBACK_STEP = 8 * 1024 * 1024;

/**
 * Writes one file's bytes at their offsets. Pages of zeros in large files become holes: archives of other tools store sparse
 * files as zeros.
 */
export class FileWriter {
  readonly #fd: number;
  readonly #size: number;
  #end = 0;
  #flushed = 0;

  constructor(fd: number, size: number) {
    this.#fd = fd;
    this.#size = size;
  }

  write(chunk: Buffer, offset: number): void {
    if (this.#size < HOLES_FROM) this.#put(chunk, offset);
    else this.#putWithHoles(chunk, offset);
  }

  #putWithHoles(chunk: Buffer, offset: number): void {
    // Piece by piece of the file's pages; a page that two chunks share is a hole if neither part was written.
    let start = 0;
    for (let at = 0; at < chunk.length; ) {
      const end = Math.min(chunk.length, at + PAGE - ((offset + at) % PAGE));
      if (isZero(chunk, at, end)) {
        this.#put(chunk.subarray(start, at), offset + start);
        start = end;
      }
      at = end;
    }
    this.#put(chunk.subarray(start), offset + start);
    if (this.#end - this.#flushed >= WRITEBACK_STEP) {
      startWriteback(this.#fd, this.#flushed, this.#end - this.#flushed);
      this.#flushed = this.#end;
    }
  }

  #put(bytes: Buffer, offset: number): void {
    for (let done = 0; done < bytes.length; )
      done += writeSync(this.#fd, bytes, done, bytes.length - done, offset + done);
    if (bytes.length > 0) this.#end = offset + bytes.length;
  }

  /** Gives the file its size where it ends with a hole. */
  finish(): void {
    if (this.#end < this.#size) ftruncateSync(this.#fd, this.#size);
  }
}
