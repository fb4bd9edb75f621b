import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';

/** Far above the body of any attach or exec. */
const MAX_BODY_BYTES = 1024 * 1024;
/** What Node's parser is answered to go no further than a request's head. */
const LEAVE_HTTP = 2;

/** Node's parser of a connection, as its http module leaves it on the socket. */
interface Parser {
  onIncoming?: (request: Incoming, keepAlive: boolean) => number | undefined;
}
/** `upgrade` is missing from Node's types. */
type Incoming = IncomingMessage & { upgrade: boolean };

/**
 * Docker's old form of attach and exec has no Upgrade header: after the request's head and body the connection simply is the
 * process's input. Node's parser would take that input for the next request, and it stops only for an Upgrade. So it is told
 * that a request of which `isPlain` holds is one, wherever on its connection the request comes: clients keep connections.
 */
export function stopParserAt(socket: Socket, isPlain: (request: IncomingMessage) => boolean): void {
  const { parser } = socket as { parser?: Parser };
  const incoming = parser?.onIncoming;
  // Not Node as it is known: the request's own body is the input then (Call.hijack).
  if (parser === undefined || incoming === undefined) return;
  parser.onIncoming = (request, keepAlive) => {
    if (request.upgrade || !isPlain(request)) return incoming(request, keepAlive);
    request.upgrade = true;
    incoming(request, keepAlive);
    return LEAVE_HTTP;
  };
}

/** Takes a plain hijack's body off its connection; what follows stays for the process. */
export async function takeBody(request: IncomingMessage, socket: Socket): Promise<Buffer> {
  const size = Number(request.headers['content-length'] ?? 0);
  if (!(size <= MAX_BODY_BYTES)) throw new RangeError('request body too large');
  if (size > 0 && request.headers.expect?.toLowerCase() === '100-continue')
    socket.write('HTTP/1.1 100 Continue\r\n\r\n');
  const chunks: Buffer[] = [];
  for (let missing = size; missing > 0; ) {
    const chunk = socket.read() as Buffer | null;
    if (chunk === null) {
      if (socket.readableEnded || socket.destroyed) throw new Error('unexpected EOF while reading the request');
      await readable(socket);
      continue;
    }
    if (chunk.length > missing) socket.unshift(chunk.subarray(missing));
    chunks.push(chunk.subarray(0, missing));
    missing -= Math.min(missing, chunk.length);
  }
  return Buffer.concat(chunks);
}

function readable(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      for (const event of ['readable', 'end', 'close']) socket.off(event, done);
      resolve();
    };
    for (const event of ['readable', 'end', 'close']) socket.on(event, done);
  });
}
