import { createSocket } from 'node:dgram';

/** usage: dns-load.ts NAME SECONDS SOCKETS: asks 127.0.0.11 for an A record as fast as it can and prints answers a second. */
const [name = '', seconds = '5', sockets = '8'] = process.argv.slice(2);
const IN_FLIGHT = 32;
const labels = name.split('.').flatMap((label) => [label.length, ...Buffer.from(label)]);
const query = Buffer.from([0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, ...labels, 0, 0, 1, 0, 1]);
let answers = 0;
let wrong = 0;
const all = Array.from({ length: Number(sockets) }, () => {
  const socket = createSocket('udp4');
  socket.on('message', (message) => {
    if ((message[3]! & 15) === 0 && message.readUInt16BE(6) > 0) answers++;
    else wrong++;
    socket.send(query);
  });
  socket.connect(53, '127.0.0.11', () => {
    for (let index = 0; index < IN_FLIGHT; index++) socket.send(query);
  });
  return socket;
});
const started = process.hrtime.bigint();
setTimeout(() => {
  const elapsed = Number(process.hrtime.bigint() - started) / 1e9;
  for (const socket of all) socket.close();
  console.log(JSON.stringify({ perSecond: answers / elapsed, answers, wrong }));
}, Number(seconds) * 1000);
