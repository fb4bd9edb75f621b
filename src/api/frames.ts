import type { Duplex } from 'node:stream';
import type { AttachSession } from '../engine/index.ts';

/** What a client reads without a terminal: each frame led by its stream, three zeros and its length (Engine API, "Stream format"). */
export function frame(stream: 0 | 1 | 2 | 3, data: Uint8Array): Buffer {
  const framed = Buffer.allocUnsafe(8 + data.length);
  framed.writeUInt32BE(stream * 0x1000000, 0);
  framed.writeUInt32BE(data.length, 4);
  framed.set(data, 8);
  return framed;
}

export const RAW_STREAM = 'application/vnd.docker.raw-stream';
export const MULTIPLEXED_STREAM = 'application/vnd.docker.multiplexed-stream';

/** The media type of output: clients before 1.42 do not know the second (moby api/server/router/container). */
export const streamType = (tty: boolean, version: number): string =>
  tty || version < 42 ? RAW_STREAM : MULTIPLEXED_STREAM;

/** After its last byte a client gets this long to close its side before the connection is cut. */
const LINGER_MS = 1000;

export interface JoinOptions {
  signal: AbortSignal;
  /** Makes a client's bytes of an output frame. */
  encode: (stream: 1 | 2, data: Buffer) => Buffer;
}

/**
 * Joins a client's connection with a process's streams until the process or the client ends. The client's end of input ends the
 * process's input only; a slow client holds up nothing but its own connection.
 */
export async function join(connection: Duplex, session: AttachSession, options: JoinOptions): Promise<void> {
  let open = true;
  const leave = () => {
    if (!open) return;
    open = false;
    session.close();
  };
  connection.on('close', leave);
  connection.on('error', leave);
  options.signal.addEventListener('abort', leave);
  if (session.stdin === undefined) connection.resume();
  else {
    session.stdin.on('error', () => connection.resume());
    connection.pipe(session.stdin);
  }
  try {
    for await (const { stream, data } of session.output) {
      if (connection.destroyed) break;
      if (!connection.write(options.encode(stream, data))) await drained(connection);
    }
  } finally {
    connection.off('close', leave);
    options.signal.removeEventListener('abort', leave);
    leave();
    finish(connection, session);
  }
}

function finish(connection: Duplex, session: AttachSession): void {
  if (session.stdin !== undefined) connection.unpipe(session.stdin);
  endGently(connection);
}

/** Ends a connection so that the client gets every byte: what it still sends is read, for a while. */
export function endGently(connection: Duplex): void {
  if (connection.destroyed) return;
  connection.end();
  connection.resume();
  const timer = setTimeout(() => connection.destroy(), LINGER_MS);
  timer.unref();
  connection.on('end', () => {
    clearTimeout(timer);
    if (connection.writableFinished) connection.destroy();
    else connection.on('finish', () => connection.destroy());
  });
}

function drained(connection: Duplex): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      connection.off('drain', done);
      connection.off('close', done);
      resolve();
    };
    connection.on('drain', done);
    connection.on('close', done);
  });
}
