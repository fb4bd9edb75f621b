import { connect } from 'node:net';

/**
 * usage: first-byte.ts ADDRESS PORT PATH: says `ready`, then tries until PATH is served there, and says `served`. It runs before the
 * container that is to serve, so that its own start is in no measurement.
 */
const [address = '', port = '', path = '/'] = process.argv.slice(2);
const AGAIN_MS = 1;

const served = (): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(Number(port), address, () => socket.write(`GET ${path} HTTP/1.0\r\n\r\n`));
    socket.on('data', () => {
      resolve(true);
      socket.destroy();
    });
    socket.on('error', () => resolve(false));
    socket.on('close', () => resolve(false));
  });

console.log('ready');
while (!(await served())) await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
console.log('served');
