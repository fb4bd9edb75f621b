import { connect } from 'node:net';

/**
 * usage: network-load.ts ADDRESS PORT PATH COUNT CLIENTS: fetches PATH COUNT times over a connection each, by so many clients at
 * once, and prints requests a second and megabytes a second. Raw sockets, so that the client costs little beside what is measured.
 */
const [address = '', port = '', path = '/', count = '1', clients = '1'] = process.argv.slice(2);
let left = Number(count);
let bytes = 0;

const fetchOnce = (): Promise<void> =>
  new Promise((resolve, reject) => {
    let status = '';
    const socket = connect(Number(port), address, () => socket.write(`GET ${path} HTTP/1.0\r\n\r\n`));
    socket.on('data', (chunk) => {
      if (status === '') status = chunk.toString('latin1', 0, 15);
      bytes += chunk.length;
    });
    socket.on('error', reject);
    socket.on('close', () => (status.includes(' 200') ? resolve() : reject(new Error(`answer: ${status}`))));
  });

const started = process.hrtime.bigint();
await Promise.all(
  Array.from({ length: Number(clients) }, async () => {
    while (left-- > 0) await fetchOnce();
  }),
);
const seconds = Number(process.hrtime.bigint() - started) / 1e9;
console.log(JSON.stringify({ perSecond: Number(count) / seconds, mbPerSecond: bytes / 1e6 / seconds }));
