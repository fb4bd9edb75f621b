import { connect } from 'node:net';

/**
 * usage: network-load.ts ADDRESS PORT PATH COUNT CLIENTS: fetches PATH COUNT times over a connection each, by so many clients at
 * once, and prints requests a second and megabytes a second. Raw sockets, so that the client costs little beside what is measured.
 */
const [address = '', port = '', path = '/', count = '1', clients = '1'] = process.argv.slice(2);
const READ_SIZE = 256 * 1024;
let left = Number(count);
let bytes = 0;

/** All is read into one buffer: a new one for each piece would cost more than the way that is measured. */
const fetchOnce = (buffer: Buffer): Promise<void> =>
  new Promise((resolve, reject) => {
    let status = '';
    const callback = (length: number, data: Uint8Array): boolean => {
      if (status === '') status = Buffer.from(data.buffer, data.byteOffset, Math.min(length, 15)).toString('latin1');
      bytes += length;
      return true;
    };
    const socket = connect({ port: Number(port), host: address, onread: { buffer, callback } }, () =>
      socket.write(`GET ${path} HTTP/1.0\r\n\r\n`),
    );
    socket.on('error', reject);
    socket.on('close', () => (status.includes(' 200') ? resolve() : reject(new Error(`answer: ${status}`))));
  });

const started = process.hrtime.bigint();
await Promise.all(
  Array.from({ length: Number(clients) }, async () => {
    const buffer = Buffer.alloc(READ_SIZE);
    while (left-- > 0) await fetchOnce(buffer);
  }),
);
const seconds = Number(process.hrtime.bigint() - started) / 1e9;
console.log(JSON.stringify({ perSecond: Number(count) / seconds, mbPerSecond: bytes / 1e6 / seconds }));
