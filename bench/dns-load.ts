import { performance } from 'node:perf_hooks';
import koffi from 'koffi';

/**
 * usage: dns-load.ts NAME SECONDS SOCKETS [ANSWERS]: asks 127.0.0.11 for an A record as fast as it can, until the time is over or it has so
 * many answers, and prints answers a second. Queries and answers go in batches (sendmmsg, recvmmsg), so that the client costs little beside
 * what is measured.
 */
const [name = '', seconds = '5', sockets = '8', most = 'Infinity'] = process.argv.slice(2);
const IN_FLIGHT = 32;
const SIZE = 512;
const HEADER = 64;
const libc = koffi.load('libc.so.6');
const socket = libc.func('int socket(int, int, int)');
const connect = libc.func('int connect(int, const void *, unsigned int)');
const sendmmsg = libc.func('int sendmmsg(int, void *, unsigned int, int)');
const recvmmsg = libc.func('int recvmmsg(int, void *, unsigned int, int, void *)');
const poll = libc.func('int poll(void *, unsigned long, int)');
const MSG_DONTWAIT = 0x40;

const labels = name.split('.').flatMap((label) => [label.length, ...Buffer.from(label)]);
const query = Buffer.from([0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, ...labels, 0, 0, 1, 0, 1]);

/** A vector of mmsghdr, each with one piece of `data`. */
function vector(data: Buffer, step: number, length: number): Buffer {
  const iovs = Buffer.alloc(IN_FLIGHT * 16);
  const headers = Buffer.alloc(IN_FLIGHT * HEADER);
  for (let index = 0; index < IN_FLIGHT; index++) {
    iovs.writeBigUInt64LE(koffi.address(data) + BigInt(index * step), index * 16);
    iovs.writeBigUInt64LE(BigInt(length), index * 16 + 8);
    headers.writeBigUInt64LE(koffi.address(iovs) + BigInt(index * 16), index * HEADER + 16);
    headers.writeBigUInt64LE(1n, index * HEADER + 24);
  }
  kept.push(iovs);
  return headers;
}
const kept: Buffer[] = [];
const answers = Buffer.alloc(IN_FLIGHT * SIZE);
const outgoing = vector(query, 0, query.length);
const incoming = vector(answers, SIZE, SIZE);

const server = Buffer.from([2, 0, 0, 53, 127, 0, 0, 11, 0, 0, 0, 0, 0, 0, 0, 0]);
const polled = Buffer.alloc(8 * Number(sockets));
const fds = Array.from({ length: Number(sockets) }, (_, index) => {
  const fd = Number(socket(2, 2, 0));
  if (Number(connect(fd, server, server.length)) !== 0) throw new Error('connect');
  polled.writeInt32LE(fd, index * 8);
  polled.writeInt16LE(1, index * 8 + 4);
  return fd;
});
let good = 0;
let wrong = 0;
const sendAll = () => {
  for (const fd of fds) sendmmsg(fd, outgoing, IN_FLIGHT, 0);
};
const started = performance.now();
const end = started + Number(seconds) * 1000;
sendAll();
while (performance.now() < end && good + wrong < Number(most)) {
  // Lost datagrams are not sent again one by one: after a silence everybody asks anew.
  if (Number(poll(polled, fds.length, 200)) === 0) sendAll();
  for (const fd of fds) {
    const count = Number(recvmmsg(fd, incoming, IN_FLIGHT, MSG_DONTWAIT, null));
    for (let index = 0; index < count; index++) {
      const at = index * SIZE;
      if ((answers[at + 3]! & 15) === 0 && answers.readUInt16BE(at + 6) > 0) good++;
      else wrong++;
    }
    if (count > 0) sendmmsg(fd, outgoing, count, 0);
  }
}
const elapsed = (performance.now() - started) / 1000;
console.log(JSON.stringify({ perSecond: good / elapsed, answers: good, wrong }));
