import type { IncomingMessage } from 'node:http';

/** As much as Go's server reads, and as long as it waits, before it closes a connection on its client (net/http: maxPostHandlerReadBytes, rstAvoidanceDelay). */
const MAX_BYTES = 256 * 1024;
const PATIENCE_MS = 500;

/**
 * Reads what is left of the body of a request that is refused, so that its client gets to read why: one that is still writing when the
 * connection closes sees a broken pipe instead. Gives up on what is long or slow; `request.complete` tells.
 */
export function readRest(request: IncomingMessage): Promise<void> {
  if (request.complete && request.readableLength === 0) return Promise.resolve();
  if (request.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    let bytes = 0;
    const take = (chunk: Buffer): void => {
      bytes += chunk.length;
      if (bytes > MAX_BYTES) done();
    };
    const done = (): void => {
      clearTimeout(timer);
      request.off('data', take).off('end', done).off('close', done);
      resolve();
    };
    const timer = setTimeout(done, PATIENCE_MS);
    request.on('end', done).on('close', done).on('data', take);
    request.resume();
  });
}

/** After the answer: a client that sends on gets time to read it before the connection closes under it. */
export function passOver(request: IncomingMessage): void {
  request.resume();
  const timer = setTimeout(() => request.socket.destroy(), PATIENCE_MS);
  request.once('close', () => clearTimeout(timer));
}
