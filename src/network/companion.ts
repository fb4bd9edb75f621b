import { chmodSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { DatagramBatch } from './datagrams.ts';
import { DnsServer } from './dns-server.ts';
import { Resolver } from './dns-upstream.ts';
import { Zones } from './dns-zones.ts';
import { HostServers } from './host-servers.ts';
import type { SandboxNames } from './names.ts';
import { loadNftables } from './nft.ts';
import { Relay } from './relay.ts';
import type { Publication } from './relay-targets.ts';

/** Told at `hello`; a daemon that speaks another version ends this companion and starts its own. */
export const COMPANION_VERSION = 1;

/** What the daemon sends, one JSON object a line, each with an `id` that the answer repeats. */
export type CompanionRequest =
  | { op: 'hello' }
  | { op: 'serve'; names: SandboxNames }
  | { op: 'forget'; sandboxId: string }
  | { op: 'publish'; publication: Publication }
  | { op: 'unpublish'; containerId: string }
  /** Drops everything but these: what a daemon that was killed did not take back. */
  | { op: 'retain'; sandboxIds: string[]; containerIds: string[] }
  | { op: 'quit' };

export interface CompanionHello {
  version: number;
  pid: number;
  relayPort: number;
}

/**
 * The process that outlives gantryd: DNS servers and relays of running containers. It serves its daemon over a Unix socket, and ends
 * when it has nothing to do and no daemon is connected.
 */
export class Companion {
  readonly #path: string;
  readonly #zones = new Zones();
  readonly #servers = new Map<string, DnsServer>();
  readonly #relay = new Relay();
  readonly #resolver = new Resolver();
  readonly #openNft = loadNftables();
  readonly #batch = new DatagramBatch();
  readonly #hostServers = new HostServers();
  readonly #daemons = new Set<Socket>();
  readonly #control: Server;
  readonly #ended: () => void;

  constructor(socketPath: string, ended: () => void) {
    this.#path = socketPath;
    this.#ended = ended;
    this.#control = createServer((socket) => this.#onDaemon(socket));
  }

  async open(): Promise<void> {
    await this.#relay.open();
    rmSync(this.#path, { force: true });
    await new Promise<void>((resolve, reject) => {
      this.#control.once('error', reject);
      this.#control.listen(this.#path, resolve);
    });
    chmodSync(this.#path, 0o600);
    // A daemon that dies between starting this process and connecting to it must not leave it behind.
    setTimeout(() => this.#endIfIdle(), 10_000).unref();
  }

  #onDaemon(socket: Socket): void {
    this.#daemons.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      this.#daemons.delete(socket);
      this.#endIfIdle();
    });
    createInterface({ input: socket }).on('line', (line) => {
      const { id, ...request } = JSON.parse(line) as CompanionRequest & { id: number };
      this.#perform(request as CompanionRequest).then(
        (result) => socket.write(`${JSON.stringify({ id, result: result ?? null })}\n`),
        (error: unknown) =>
          socket.write(`${JSON.stringify({ id, error: error instanceof Error ? error.message : String(error) })}\n`),
      );
    });
  }

  async #perform(request: CompanionRequest): Promise<CompanionHello | undefined> {
    switch (request.op) {
      case 'hello':
        return { version: COMPANION_VERSION, pid: process.pid, relayPort: this.#relay.port };
      case 'serve':
        await this.#serve(request.names);
        return undefined;
      case 'forget':
        this.#forget(request.sandboxId);
        return undefined;
      case 'publish':
        await this.#relay.publish(request.publication);
        return undefined;
      case 'unpublish':
        this.#relay.unpublish(request.containerId);
        return undefined;
      case 'retain':
        for (const id of [...this.#servers.keys()]) if (!request.sandboxIds.includes(id)) this.#forget(id);
        for (const id of this.#relay.ids()) if (!request.containerIds.includes(id)) this.#relay.unpublish(id);
        return undefined;
      case 'quit':
        setImmediate(() => this.close());
        return undefined;
    }
  }

  async #serve(names: SandboxNames): Promise<void> {
    this.#zones.set(names);
    const running = this.#servers.get(names.sandboxId);
    if (running !== undefined) {
      running.names = names;
      return;
    }
    try {
      const parts = {
        zones: this.#zones,
        resolver: this.#resolver,
        hostServers: () => this.#hostServers.current(),
        openNft: this.#openNft,
        batch: this.#batch,
      };
      this.#servers.set(names.sandboxId, await DnsServer.open(names, parts));
    } catch (error) {
      this.#zones.delete(names.sandboxId);
      throw error;
    }
  }

  #forget(sandboxId: string): void {
    this.#zones.delete(sandboxId);
    this.#servers.get(sandboxId)?.close();
    this.#servers.delete(sandboxId);
  }

  #endIfIdle(): void {
    if (this.#daemons.size === 0 && this.#servers.size === 0 && this.#relay.idle) this.close();
  }

  close(): void {
    for (const id of [...this.#servers.keys()]) this.#forget(id);
    this.#relay.close();
    this.#control.close();
    for (const daemon of this.#daemons) daemon.destroy();
    rmSync(this.#path, { force: true });
    this.#ended();
  }
}
