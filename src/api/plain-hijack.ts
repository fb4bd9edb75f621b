import type { Server } from 'node:http';
import type { Socket } from 'node:net';

/** Marks a request that asked for a raw connection without Upgrade; set here only. */
export const PLAIN_HEADER = 'x-gantry-plain-hijack';

const MAX_HEAD_BYTES = 64 * 1024;
const HIJACKS = /^POST (?:\/v[0-9.]+)?\/(?:containers\/[^ ?]+\/attach|exec\/[^ ?/]+\/start)[ ?]/;

/**
 * Docker's old form of attach and exec has no Upgrade header: after the request's head (and body) the connection simply is the
 * process's input. Node's parser would take that input for the next request, and it stops parsing only for an Upgrade.
 * So the first request of a connection is looked at before the parser sees it, and given the headers of one.
 */
export function acceptOn(server: Server): (socket: Socket) => void {
  return (socket) => {
    let head: Buffer = Buffer.alloc(0);
    const give = (bytes: Buffer) => {
      socket.off('readable', look);
      socket.off('end', ended);
      socket.off('error', ignore);
      if (bytes.length > 0) socket.unshift(bytes);
      server.emit('connection', socket);
    };
    const ignore = () => {};
    const ended = () => {
      if (head.length === 0) socket.end();
      else give(head);
    };
    const look = () => {
      const chunk = socket.read() as Buffer | null;
      if (chunk === null) return;
      head = head.length === 0 ? chunk : Buffer.concat([head, chunk]);
      const verdict = judge(head);
      if (verdict !== 'more') give(verdict);
    };
    socket.on('readable', look);
    socket.on('end', ended);
    socket.on('error', ignore);
  };
}

/** The bytes for the parser, or `more` if the head is not whole yet. */
export function judge(head: Buffer): Buffer | 'more' {
  const text = head.subarray(0, MAX_HEAD_BYTES).toString('latin1');
  const line = text.indexOf('\r\n');
  if (line < 0) return head.length < MAX_HEAD_BYTES && 'POST /'.startsWith(text.slice(0, 6)) ? 'more' : head;
  if (!HIJACKS.test(text.slice(0, line + 2))) return head;
  const end = text.indexOf('\r\n\r\n');
  if (end < 0) return head.length < MAX_HEAD_BYTES ? 'more' : head;
  if (/\r\nupgrade:/i.test(text.slice(0, end + 2))) return head;
  const marks = `\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n${PLAIN_HEADER}: 1`;
  return Buffer.concat([head.subarray(0, line), Buffer.from(marks), head.subarray(line)]);
}
