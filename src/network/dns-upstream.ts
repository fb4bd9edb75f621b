import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { Socket } from 'node:net';
import { type Address, formatAddress, parseAddress } from './address.ts';
import { answersQuestion, type Question, RCODE } from './dns-wire.ts';
import { openTcpClient, openUdpClient } from './netns-socket.ts';

/** Asking other servers. libnetwork's resolver: extIOTimeout 4 s, maxExtDNS 3, maxConcurrent 1024. */
const TIMEOUT_MS = 4000;
const SERVERS_AT_MOST = 3;
const CONCURRENT_AT_MOST = 1024;

export interface Upstream {
  /** Address text, perhaps with a zone (`fe80::1%eth0`, which is left out). */
  server: string;
  /** Namespace to ask from; undefined is the machine's. */
  netnsPath: string | undefined;
}

/** A server that did not answer usefully; the next one is tried. */
class NoAnswer extends Error {}

export class Resolver {
  #running = 0;
  readonly #port: number;

  constructor(port = 53) {
    this.#port = port;
  }

  /** The first useful answer, with the query's own id; undefined if there is none, or too many are waiting already. */
  async ask(
    upstreams: readonly Upstream[],
    query: Buffer,
    question: Question,
    udp: boolean,
  ): Promise<Buffer | undefined> {
    if (this.#running >= CONCURRENT_AT_MOST) return undefined;
    this.#running++;
    try {
      for (const { server, netnsPath } of upstreams.slice(0, SERVERS_AT_MOST)) {
        const address = parseAddress(server);
        if (address === undefined) continue;
        try {
          const answer = await (udp ? overUdp : overTcp)(netnsPath, address, this.#port, query, question);
          query.copy(answer, 0, 0, 2);
          const rcode = answer[3]! & 15;
          if (rcode !== RCODE.serverFailure && rcode !== RCODE.refused) return answer;
        } catch {
          // The next server may know.
        }
      }
      return undefined;
    } finally {
      this.#running--;
    }
  }
}

function disguised(query: Buffer): Buffer {
  const message = Buffer.from(query);
  message.writeUInt16BE(randomInt(65536), 0);
  return message;
}

/** One socket a query: each has a port that nobody can guess (RFC 5452). */
function overUdp(
  netnsPath: string | undefined,
  address: Address,
  port: number,
  query: Buffer,
  question: Question,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const message = disguised(query);
    const socket = createSocket(address.family === 4 ? 'udp4' : 'udp6');
    const done = (error: Error | undefined, answer?: Buffer): void => {
      clearTimeout(timer);
      socket.removeAllListeners();
      socket.on('error', () => {});
      socket.close();
      if (answer === undefined) reject(error ?? new NoAnswer());
      else resolve(answer);
    };
    const timer = setTimeout(() => done(new NoAnswer('timeout')), TIMEOUT_MS);
    socket.on('error', (error) => done(error));
    const text = formatAddress(address);
    socket.on('message', (answer, peer) => {
      if (peer.address !== text || peer.port !== port) return;
      if (
        answer.length > 2 &&
        answer.readUInt16BE(0) === message.readUInt16BE(0) &&
        answersQuestion(answer, query, question)
      )
        done(undefined, answer);
    });
    try {
      const fd = openUdpClient(netnsPath, address.family);
      socket.bind({ fd }, () => socket.send(message, port, text, (error) => error && done(error)));
    } catch (error) {
      done(error as Error);
    }
  });
}

function overTcp(
  netnsPath: string | undefined,
  address: Address,
  port: number,
  query: Buffer,
  question: Question,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const message = disguised(query);
    const length = Buffer.alloc(2);
    length.writeUInt16BE(message.length);
    let socket: Socket;
    try {
      socket = new Socket({ fd: openTcpClient(netnsPath, address, port), readable: true, writable: true });
    } catch (error) {
      reject(error as Error);
      return;
    }
    let received: Buffer = Buffer.alloc(0);
    const done = (answer?: Buffer): void => {
      clearTimeout(timer);
      socket.removeAllListeners();
      socket.on('error', () => {});
      socket.destroy();
      if (answer === undefined) reject(new NoAnswer());
      else resolve(answer);
    };
    const timer = setTimeout(() => done(), TIMEOUT_MS);
    socket.on('error', () => done());
    socket.on('close', () => done());
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      if (received.length < 2 || received.length < 2 + received.readUInt16BE(0)) return;
      const answer = Buffer.from(received.subarray(2, 2 + received.readUInt16BE(0)));
      const fits =
        answer.length > 2 &&
        answer.readUInt16BE(0) === message.readUInt16BE(0) &&
        answersQuestion(answer, query, question);
      done(fits ? answer : undefined);
    });
    socket.write(Buffer.concat([length, message]));
  });
}
