import { createSocket, type Socket } from 'node:dgram';
import { networkInterfaces } from 'node:os';
import { internal } from '../common/index.ts';
import { type Address, formatAddress, parseAddress } from './address.ts';
import { holdBeside, holdPort } from './host-ports.ts';
import type { Target } from './relay-targets.ts';

/** docker-proxy: UDPConnTrackTimeout. */
const IDLE_MS = 90_000;
const CLIENTS_AT_MOST = 1024;

interface Front {
  fd: number;
  socket: Socket;
}
interface Client {
  socket: Socket;
  timer: NodeJS.Timeout;
}

/** The machine's addresses of a family, without those that need a zone. */
const localAddresses = (family: 4 | 6): string[] =>
  Object.values(networkInterfaces())
    .flatMap((entries) => entries ?? [])
    .filter((entry) => entry.family === `IPv${family}` && !(entry.scopeid ?? 0))
    .map((entry) => formatAddress(parseAddress(entry.address)!));

/**
 * Carries one published UDP port to its container. Each client gets a socket of its own towards it, until it is silent for a while.
 *
 * An answer must come from the address that was called, which a socket at all addresses does not learn. So where a port is published at
 * all of them, each has a socket beside that one; one that the machine got later has when it is called.
 */
export class UdpRelay {
  readonly #address: Address;
  readonly #port: number;
  readonly #target: Target;
  readonly #fronts = new Map<string, Front>();
  readonly #clients = new Map<string, Client>();

  private constructor(address: Address, port: number, target: Target) {
    this.#address = address;
    this.#port = port;
    this.#target = target;
  }

  /** Throws where another program has the port. */
  static open(hostIp: string, hostPort: number, target: Target): UdpRelay {
    const address = parseAddress(hostIp)!;
    const held = holdPort('udp', address, hostPort);
    if (!('fd' in held)) throw internal(`failed to bind host port ${hostIp}:${hostPort}/udp: ${held.code}`);
    const relay = new UdpRelay(address, hostPort, target);
    relay.#listen(formatAddress(address), held.fd);
    if (address.value === 0n) relay.#listenBeside(held.fd);
    return relay;
  }

  /** Sockets at the machine's addresses that have none yet. */
  #listenBeside(general: number): Front[] {
    const missing = localAddresses(this.#address.family).filter((text) => !this.#fronts.has(text));
    return missing.flatMap((text) => {
      const held = holdBeside(general, parseAddress(text)!, this.#port);
      return 'fd' in held ? [this.#listen(text, held.fd)] : [];
    });
  }

  #listen(text: string, fd: number): Front {
    const socket = createSocket({ type: this.#address.family === 6 ? 'udp6' : 'udp4' });
    const front = { fd, socket };
    this.#fronts.set(text, front);
    socket.on('error', () => {});
    socket.on('message', (message, peer) => this.#onMessage(text, front, message, peer));
    socket.bind({ fd });
    return front;
  }

  #onMessage(called: string, front: Front, message: Buffer, peer: { address: string; port: number }): void {
    const key = `${called} ${peer.address} ${peer.port}`;
    const client = this.#clients.get(key) ?? this.#welcome(key, called, front, peer);
    client?.timer.refresh();
    client?.socket.send(message, this.#target.port, this.#target.address, () => {});
  }

  #welcome(key: string, called: string, front: Front, peer: { address: string; port: number }): Client | undefined {
    if (this.#clients.size >= CLIENTS_AT_MOST) return undefined;
    const general = this.#address.value === 0n && called === formatAddress(this.#address);
    const fresh = general ? this.#listenBeside(front.fd) : [];
    // With one new address it was that one which was called.
    const answering = fresh.length === 1 ? fresh[0]! : front;
    const socket = createSocket(this.#target.address.includes(':') ? 'udp6' : 'udp4');
    const client = { socket, timer: setTimeout(() => this.#forget(key), IDLE_MS) };
    this.#clients.set(key, client);
    socket.on('error', () => this.#forget(key));
    socket.on('message', (answer) => {
      client.timer.refresh();
      answering.socket.send(answer, peer.port, peer.address, () => {});
    });
    return client;
  }

  #forget(key: string): void {
    const client = this.#clients.get(key);
    this.#clients.delete(key);
    if (client === undefined) return;
    clearTimeout(client.timer);
    client.socket.close();
  }

  close(): void {
    for (const { socket } of this.#fronts.values()) socket.close();
    this.#fronts.clear();
    for (const key of [...this.#clients.keys()]) this.#forget(key);
  }
}
