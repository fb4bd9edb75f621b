import { createSocket, type RemoteInfo, type Socket as UdpSocket } from 'node:dgram';
import { createServer, type Server, type Socket } from 'node:net';
import { inNetworkNamespace } from '../sys/index.ts';
import { parseAddress } from './address.ts';
import type { DatagramBatch } from './datagrams.ts';
import { decide } from './dns-answer.ts';
import type { Resolver, Upstream } from './dns-upstream.ts';
import { emptyAnswer, RCODE } from './dns-wire.ts';
import type { Zones } from './dns-zones.ts';
import type { SandboxNames } from './names.ts';
import { openServerSocket } from './netns-socket.ts';
import type { Nft } from './nft.ts';

const ADDRESS = '127.0.0.11';
/** A client that keeps a TCP connection without asking. */
const IDLE_MS = 10_000;
const CONNECTIONS_AT_MOST = 64;
/** Batches of one sandbox after which the others have their turn. */
const TURNS_AT_MOST = 8;

export interface DnsParts {
  zones: Zones;
  resolver: Resolver;
  /** Servers of the machine's resolv.conf, as it is now. */
  hostServers: () => readonly string[];
  openNft: () => Nft;
  batch: DatagramBatch;
}

/**
 * The DNS server of one sandbox. It listens at 127.0.0.11 inside, on a high port, and nftables inside the namespace lead port
 * 53 there: port 53 itself stays free for the container's own programs.
 */
export class DnsServer {
  names: SandboxNames;
  readonly #parts: DnsParts;
  readonly #udpFd: number;
  readonly #udp: UdpSocket;
  readonly #tcp: Server;
  readonly #connections = new Set<Socket>();

  private constructor(names: SandboxNames, parts: DnsParts, udpFd: number, udp: UdpSocket, tcp: Server) {
    this.names = names;
    this.#parts = parts;
    this.#udpFd = udpFd;
    this.#udp = udp;
    this.#tcp = tcp;
    udp.on('message', (query, peer) => this.#onDatagrams(query, peer));
    udp.on('error', () => {});
    tcp.on('connection', (socket) => this.#onConnection(socket));
    tcp.on('error', () => {});
    tcp.maxConnections = CONNECTIONS_AT_MOST;
  }

  /** Listens, and answers before it resolves. */
  static async open(names: SandboxNames, parts: DnsParts): Promise<DnsServer> {
    const address = parseAddress(ADDRESS)!;
    const udp = openServerSocket(names.netnsPath, 'udp', address, 0);
    const tcp = openServerSocket(names.netnsPath, 'tcp', address, 0);
    inNetworkNamespace(names.netnsPath, () => {
      const nft = parts.openNft();
      try {
        nft.run(redirection(udp.port, tcp.port));
      } finally {
        nft.close();
      }
    });
    const udpSocket = createSocket({ type: 'udp4', recvBufferSize: 1 << 20 });
    const tcpServer = createServer();
    const server = new DnsServer(names, parts, udp.fd, udpSocket, tcpServer);
    await Promise.all([
      new Promise<void>((resolve) => udpSocket.bind({ fd: udp.fd }, resolve)),
      new Promise<void>((resolve) => tcpServer.listen({ fd: tcp.fd }, resolve)),
    ]);
    return server;
  }

  #upstreams(): Upstream[] {
    const { upstreams, netnsPath } = this.names;
    if (upstreams === 'host') return this.#parts.hostServers().map((server) => ({ server, netnsPath: undefined }));
    return upstreams.map((server) => ({ server, netnsPath }));
  }

  /** Node has taken the first; where clients ask fast, others wait behind it, and they are answered together. */
  #onDatagrams(query: Buffer, peer: RemoteInfo): void {
    const answer = this.#answer(query, () => peer);
    if (answer !== undefined) this.#udp.send(answer, peer.port, peer.address, ignore);
    const { batch } = this.#parts;
    const one = (message: Buffer, slot: number) => this.#answer(message, () => batch.peer(slot));
    for (let turn = 0; turn < TURNS_AT_MOST && batch.serve(this.#udpFd, one) > 0; turn++);
  }

  /** The answer, or undefined if it comes later or never. */
  #answer(query: Buffer, peerOf: () => { address: string; port: number }): Buffer | undefined {
    const verdict = decide(this.#parts.zones, this.names, query, true);
    if (verdict === undefined) return undefined;
    if ('answer' in verdict) return verdict.answer;
    const peer = peerOf();
    void this.#forward(Buffer.from(query), verdict.forward, true).then((answer) => {
      if (!this.#closed) this.#udp.send(answer, peer.port, peer.address, ignore);
    });
    return undefined;
  }

  #closed = false;

  async #forward(query: Buffer, question: Parameters<Resolver['ask']>[2], udp: boolean): Promise<Buffer> {
    const answer = await this.#parts.resolver.ask(this.#upstreams(), query, question, udp);
    return answer ?? emptyAnswer(query, question, RCODE.serverFailure);
  }

  #onConnection(socket: Socket): void {
    this.#connections.add(socket);
    let received: Buffer = Buffer.alloc(0);
    socket.setTimeout(IDLE_MS, () => socket.destroy());
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#connections.delete(socket));
    const serve = async (query: Buffer): Promise<void> => {
      const verdict = decide(this.#parts.zones, this.names, query, false);
      if (verdict === undefined) {
        socket.destroy();
        return;
      }
      const answer = 'answer' in verdict ? verdict.answer : await this.#forward(query, verdict.forward, false);
      const length = Buffer.alloc(2);
      length.writeUInt16BE(answer.length);
      if (!socket.destroyed) socket.write(Buffer.concat([length, answer]));
    };
    socket.on('data', (chunk: Buffer) => {
      received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
      while (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) {
        const end = 2 + received.readUInt16BE(0);
        const query = Buffer.from(received.subarray(2, end));
        received = received.subarray(end);
        void serve(query);
      }
    });
  }

  close(): void {
    this.#closed = true;
    this.#udp.close();
    this.#tcp.close();
    for (const socket of this.#connections) socket.destroy();
  }
}

const ignore = (): void => {};

const redirection = (udpPort: number, tcpPort: number): string => `
add table ip gantry-dns
delete table ip gantry-dns
table ip gantry-dns {
  chain output {
    type nat hook output priority -100; policy accept;
    ip daddr ${ADDRESS} udp dport 53 dnat to ${ADDRESS}:${udpPort}
    ip daddr ${ADDRESS} tcp dport 53 dnat to ${ADDRESS}:${tcpPort}
  }
}
`;
