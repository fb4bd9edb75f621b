import { closeSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { Writable } from 'node:stream';
import { SeqpacketSocket } from 'node-unix-socket';
import { SpillQueue } from './spill-queue.ts';
import type { Streams } from './types.ts';

export type Frame = { stream: 1 | 2; data: Buffer };

export interface QueueBounds {
  highBytes: number;
  /** More than `highBytes` are held. A producer that can wait does; another closes. */
  onFull: () => void;
  /** Less than half of it is left, after it was full. */
  onDrained?: () => void;
}

/** Frames between one producer and one consumer. A consumer that leaves early lets the rest fall through, so that the producer never waits for it. */
export class FrameQueue implements AsyncIterable<Frame> {
  #frames: Frame[] = [];
  #bytes = 0;
  #full = false;
  #ended = false;
  #abandoned = false;
  #wake: (() => void) | undefined;
  readonly #bounds: QueueBounds;
  constructor(bounds: QueueBounds) {
    this.#bounds = bounds;
  }
  push(frame: Frame): void {
    if (this.#ended || this.#abandoned) return;
    this.#frames.push(frame);
    this.#bytes += frame.data.length;
    if (!this.#full && this.#bytes > this.#bounds.highBytes) {
      this.#full = true;
      this.#bounds.onFull();
    }
    this.#wake?.();
  }
  end(): void {
    this.#ended = true;
    this.#wake?.();
  }
  async *[Symbol.asyncIterator](): AsyncIterator<Frame> {
    try {
      for (;;) {
        const batch = this.#frames;
        if (batch.length === 0) {
          if (this.#ended) return;
          await new Promise<void>((resolve) => {
            this.#wake = resolve;
          });
          continue;
        }
        this.#frames = [];
        for (const frame of batch) {
          this.#bytes -= frame.data.length;
          this.#relax();
          yield frame;
        }
      }
    } finally {
      this.abandon();
    }
  }
  /** The consumer leaves: what is held and what comes falls through. */
  abandon(): void {
    this.#abandoned = true;
    this.#frames = [];
    this.#bytes = 0;
    this.#relax();
    this.end();
  }
  #relax(): void {
    if (!this.#full || this.#bytes * 2 > this.#bounds.highBytes) return;
    this.#full = false;
    this.#bounds.onDrained?.();
  }
}

/**
 * One connection to conmon's attach socket (`BUNDLE/attach`, SOCK_SEQPACKET): each packet is a stream byte (2 stdout, 3 stderr) and data;
 * what is written is the container's stdin; half-closing it closes the stdin. Everything is read at once, since conmon drops a reader that
 * does not keep up; what a slow consumer has not taken waits in `spillDirectory`.
 */
export function attachTo(path: string, spillDirectory: string): Promise<Streams> {
  // sun_path holds 107 bytes; a longer path goes through a descriptor of its directory.
  const directory = path.length > 100 ? openSync(dirname(path), 'r') : undefined;
  const address = directory === undefined ? path : `/proc/self/fd/${directory}/attach`;
  const socket = new SeqpacketSocket();
  // node-unix-socket calls back outside of a callback scope: promises settled there would wait for the loop's next event. An immediate has a scope.
  const soon = (action: () => void) => void setImmediate(action);
  const queue = new SpillQueue(spillDirectory, () => socket.destroy());
  socket.on('data', (packet: Buffer) => {
    // The socket's own buffer is reused for the next packet.
    if (packet.length <= 1) return;
    const frame: Frame = { stream: packet[0] === 3 ? 2 : 1, data: Buffer.from(packet.subarray(1)) };
    soon(() => queue.push(frame));
  });
  socket.on('end', () =>
    soon(() => {
      queue.end();
      socket.destroy();
    }),
  );
  socket.on('error', () => soon(() => queue.end()));
  socket.on('close', () => soon(() => queue.end()));
  let closed = false;
  const closeStdin = () => {
    if (closed) return;
    closed = true;
    try {
      socket.end();
    } catch {
      // the process has ended
    }
  };
  const stdin = new Writable({
    write(chunk: Buffer, _encoding, done) {
      // conmon reads at most 8 KiB a packet.
      const send = (offset: number): void => {
        if (offset >= chunk.length) {
          done();
          return;
        }
        try {
          socket.write(chunk, offset, Math.min(8192, chunk.length - offset), () => soon(() => send(offset + 8192)));
        } catch (error) {
          done(error as Error);
        }
      };
      send(0);
    },
    final(done) {
      closeStdin();
      done();
    },
  });
  stdin.on('error', () => {});
  return new Promise((resolve, reject) => {
    const settle = () => directory !== undefined && closeSync(directory);
    socket.once('error', (error: Error) =>
      soon(() => {
        settle();
        reject(error);
      }),
    );
    try {
      socket.connect(address, () => {
        settle();
        const streams: Streams = {
          stdin,
          output: queue,
          closeStdin,
          detach: () => {
            queue.abandon();
            socket.destroy();
          },
        };
        soon(() => resolve(streams));
      });
    } catch (error) {
      settle();
      reject(error as Error);
    }
  });
}
