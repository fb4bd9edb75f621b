import { once } from 'node:events';
import { PassThrough, type Writable } from 'node:stream';
import { conflict } from '../../common/index.ts';
import type { Monitor, Streams } from '../../runtime/index.ts';
import type { AttachOptions, AttachSession } from '../types.ts';
import type { Container } from './book.ts';
import { detachFilter, parseDetachKeys } from './detach-keys.ts';

type Frame = { stream: 1 | 2; data: Buffer };

/**
 * Clients attached to containers. Each has a connection of its own to the container's monitor, so a slow one holds up nobody. A client
 * that attaches to a container not yet running waits for its start, and misses nothing of it.
 */
export class Attachments {
  readonly #monitor: Monitor;
  readonly #waiting = new Map<string, Set<(streams: Streams | undefined) => void>>();
  constructor(monitor: Monitor) {
    this.#monitor = monitor;
  }

  /** Connects those who wait; called between create and start. */
  async connectWaiting(id: string): Promise<void> {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return;
    this.#waiting.delete(id);
    await Promise.all([...waiting].map(async (settle) => settle(await this.#monitor.attach(id))));
  }

  /** The container did not start, or is gone: those who wait get an end. */
  abandon(id: string): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    for (const settle of waiting ?? []) settle(undefined);
  }

  async attach(container: Container, options: AttachOptions, onDetach: () => void): Promise<AttachSession> {
    if (options.detachKeys) parseDetachKeys(options.detachKeys);
    const { config } = container.record;
    const tty = config.Tty === true;
    const wantsStdin = options.stdin && config.OpenStdin === true;
    if (container.state.status === 'paused')
      throw conflict(`Container ${container.id} is paused. Unpause the container before attach`);
    let connection: Promise<Streams | undefined>;
    if (container.running) connection = this.#monitor.attach(container.id);
    else {
      const { promise, resolve } = Promise.withResolvers<Streams | undefined>();
      const waiting = this.#waiting.get(container.id) ?? new Set();
      waiting.add(resolve);
      this.#waiting.set(container.id, waiting);
      connection = promise;
    }
    return session(connection, {
      tty,
      stdin: wantsStdin,
      stdout: options.stdout,
      stderr: options.stderr,
      detachKeys: options.detachKeys,
      onDetach,
    });
  }
}

interface SessionOptions {
  tty: boolean;
  stdin: boolean;
  stdout: boolean;
  stderr: boolean;
  detachKeys: string | undefined;
  onDetach: () => void;
}

/** A client's session over a connection that may come later. */
export function session(connection: Promise<Streams | undefined>, options: SessionOptions): AttachSession {
  let closed = false;
  const close = () => {
    if (closed) return;
    closed = true;
    void connection.then(
      (streams) => streams?.detach(),
      () => {},
    );
  };
  async function* output(): AsyncGenerator<Frame> {
    const streams = await connection;
    if (streams === undefined || closed) return;
    for await (const frame of streams.output) {
      if (closed) return;
      if (frame.stream === 1 ? options.stdout || (options.tty && options.stderr) : options.stderr) yield frame;
    }
  }
  if (!options.stdin) return { tty: options.tty, output: output(), close };
  const buffer = new PassThrough();
  const filter = options.tty ? detachFilter(options.detachKeys) : undefined;
  void (async () => {
    const streams = await connection.catch(() => undefined);
    if (streams === undefined) return;
    try {
      for await (const chunk of buffer as AsyncIterable<Buffer>) {
        const { data, detached } = filter === undefined ? { data: chunk, detached: false } : filter(chunk);
        if (data.length > 0 && !streams.stdin.write(data)) await once(streams.stdin, 'drain');
        if (detached) {
          options.onDetach();
          close();
          return;
        }
      }
      streams.closeStdin();
    } catch {
      // the client broke off, or the process has ended
    }
  })();
  return { tty: options.tty, stdin: buffer as Writable, output: output(), close };
}
