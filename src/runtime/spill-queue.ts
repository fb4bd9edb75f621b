import { randomBytes } from 'node:crypto';
import { closeSync, ftruncateSync, openSync, readSync, statfsSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Frame } from './streams.ts';

/** Held in memory for a consumer that is slower than the producer; what comes after goes to disk. */
const MEMORY_BYTES = 8 * 2 ** 20;
/** Frames are written and read back in pieces of about this size. */
const PIECE_BYTES = 256 * 1024;
/** The most that is kept for one consumer. */
const DISK_BYTES = 16 * 2 ** 30;
/** Stream and length. */
const HEAD_BYTES = 5;

/**
 * Frames between a producer that cannot wait (conmon drops a reader that does not keep up) and one consumer, of which nothing may be lost: a
 * client's `run … | slow` gets all of it. Beyond some megabytes they wait in a file without a name. A consumer that leaves lets the rest fall
 * through; one that is gigabytes behind, or for whom the disk is too full, is told so on its stderr and gets no more.
 */
export class SpillQueue implements AsyncIterable<Frame> {
  readonly #directory: string;
  readonly #onLost: () => void;
  #frames: Frame[] = [];
  #bytes = 0;
  /** Not yet written to the file: frames as they stand there. */
  #pending: Buffer[] = [];
  #pendingBytes = 0;
  #fd: number | undefined;
  #written = 0;
  #read = 0;
  #ended = false;
  #abandoned = false;
  #wake: (() => void) | undefined;

  constructor(directory: string, onLost: () => void) {
    this.#directory = directory;
    this.#onLost = onLost;
  }

  push(frame: Frame): void {
    if (this.#ended || this.#abandoned) return;
    // What is on its way through the file goes first.
    if (this.#spilled === 0 && this.#bytes < MEMORY_BYTES) {
      this.#frames.push(frame);
      this.#bytes += frame.data.length;
    } else this.#spill(frame);
    this.#wake?.();
  }

  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  /** The consumer leaves. */
  abandon(): void {
    this.#abandoned = true;
    this.#frames = [];
    this.#pending = [];
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
    this.end();
  }

  async *[Symbol.asyncIterator](): AsyncIterator<Frame> {
    try {
      for (;;) {
        const batch = this.#next();
        for (const frame of batch) yield frame;
        if (batch.length > 0) continue;
        if (this.#ended) return;
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    } finally {
      this.abandon();
    }
  }

  get #spilled(): number {
    return this.#written - this.#read + this.#pendingBytes;
  }

  #next(): Frame[] {
    if (this.#frames.length > 0) {
      const batch = this.#frames;
      this.#frames = [];
      this.#bytes = 0;
      return batch;
    }
    if (this.#abandoned || this.#spilled === 0) return [];
    if (this.#read < this.#written) return this.#readBack();
    const pending = Buffer.concat(this.#pending);
    this.#pending = [];
    this.#pendingBytes = 0;
    return framesOf(pending).frames;
  }

  #spill({ stream, data }: Frame): void {
    const head = Buffer.alloc(HEAD_BYTES);
    head[0] = stream;
    head.writeUInt32LE(data.length, 1);
    this.#pending.push(head, data);
    this.#pendingBytes += HEAD_BYTES + data.length;
    if (this.#pendingBytes < PIECE_BYTES) return;
    try {
      this.#write(Buffer.concat(this.#pending));
      this.#pending = [];
      this.#pendingBytes = 0;
    } catch {
      this.#lose();
    }
  }

  #write(piece: Buffer): void {
    this.#fd ??= unnamedFile(this.#directory);
    if (this.#written - this.#read > DISK_BYTES || isNearlyFull(this.#directory)) throw new Error('no room');
    for (let done = 0; done < piece.length; )
      done += writeSync(this.#fd, piece, done, piece.length - done, this.#written + done);
    this.#written += piece.length;
  }

  #readBack(): Frame[] {
    const wanted = Math.min(PIECE_BYTES + 2 ** 16, this.#written - this.#read);
    const piece = Buffer.allocUnsafeSlow(wanted);
    const length = readSync(this.#fd!, piece, 0, wanted, this.#read);
    const { frames, used } = framesOf(piece.subarray(0, length));
    this.#read += used;
    if (this.#read === this.#written) {
      ftruncateSync(this.#fd!, 0);
      this.#read = 0;
      this.#written = 0;
    }
    return frames;
  }

  #lose(): void {
    const text = "\ngantryd: this client is too far behind; the rest of the output is in the container's log\n";
    this.#pending = [];
    this.#pendingBytes = 0;
    const data = Buffer.from(text);
    const head = Buffer.alloc(HEAD_BYTES);
    head[0] = 2;
    head.writeUInt32LE(data.length, 1);
    this.#pending.push(head, data);
    this.#pendingBytes = HEAD_BYTES + data.length;
    this.end();
    this.#onLost();
  }
}

/** The whole frames at the beginning of a piece. */
function framesOf(piece: Buffer): { frames: Frame[]; used: number } {
  const frames: Frame[] = [];
  let at = 0;
  while (at + HEAD_BYTES <= piece.length) {
    const end = at + HEAD_BYTES + piece.readUInt32LE(at + 1);
    if (end > piece.length) break;
    frames.push({ stream: piece[at] === 2 ? 2 : 1, data: piece.subarray(at + HEAD_BYTES, end) });
    at = end;
  }
  return { frames, used: at };
}

function unnamedFile(directory: string): number {
  const path = join(directory, `spill-${randomBytes(8).toString('hex')}`);
  const fd = openSync(path, 'wx+', 0o600);
  unlinkSync(path);
  return fd;
}

function isNearlyFull(directory: string): boolean {
  const { bavail, blocks } = statfsSync(directory);
  return bavail * 20 < blocks;
}
