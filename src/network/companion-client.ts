import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { internal, type Logger, messageOf, unavailable } from '../common/index.ts';
import { COMPANION_VERSION, type CompanionHello, type CompanionRequest } from './companion.ts';
import type { NameService, SandboxNames } from './names.ts';
import type { Publication } from './relay-targets.ts';

const START_TIMEOUT_MS = 20_000;

interface Call {
  resolve: (result: unknown) => void;
  reject: (error: Error) => void;
}

export interface CompanionParts {
  execRoot: string;
  log: Logger;
  /** Told whenever a companion is connected: its relay port. */
  onRelayPort: (port: number) => void;
  /** What should be there now; sent anew to a companion that was started again after it had died. */
  current: () => { names: SandboxNames[]; publications: Publication[] };
}

/** The daemon's end of its companion: starts it when first needed, adopts one that runs, starts it again if it dies. */
export class CompanionClient implements NameService {
  readonly #parts: CompanionParts;
  readonly #socketPath: string;
  readonly #calls = new Map<number, Call>();
  #next = 1;
  #connection: Promise<Socket> | undefined;
  /** The same connection once it is greeted. */
  #live: Socket | undefined;
  #closing = false;

  constructor(parts: CompanionParts) {
    this.#parts = parts;
    this.#socketPath = join(parts.execRoot, 'companion.sock');
  }

  async serve(names: SandboxNames): Promise<void> {
    await this.#call({ op: 'serve', names });
  }
  async forget(sandboxId: string): Promise<void> {
    if (this.#connection !== undefined) await this.#call({ op: 'forget', sandboxId });
  }
  async publish(publication: Publication): Promise<void> {
    await this.#call({ op: 'publish', publication });
  }
  async unpublish(containerId: string): Promise<void> {
    if (this.#connection !== undefined) await this.#call({ op: 'unpublish', containerId });
  }

  /** Connects to a companion that an earlier daemon left, and has it drop what is not current; starts none. */
  async adopt(): Promise<void> {
    const socket = await this.#connect().catch(() => undefined);
    if (socket === undefined) return;
    this.#connection = this.#greet(socket);
    const { names, publications } = this.#parts.current();
    await this.#call({
      op: 'retain',
      sandboxIds: names.map((item) => item.sandboxId),
      containerIds: publications.map((item) => item.containerId),
    });
  }

  /** Starts one early, so that the first container that needs it does not wait. Failure shows when it is needed. */
  warmUp(): void {
    this.#ready().catch(() => {});
  }

  /** Ends the companion if it has nothing to do; else it goes on without a daemon. */
  async close(): Promise<void> {
    this.#closing = true;
    const socket = await this.#connection?.catch(() => undefined);
    socket?.end();
    socket?.destroy();
  }

  #ready(): Promise<Socket> {
    this.#connection ??= this.#open().catch((error: unknown) => {
      this.#connection = undefined;
      throw unavailable(`the network companion does not start: ${messageOf(error)}`);
    });
    return this.#connection;
  }

  async #open(): Promise<Socket> {
    const running = await this.#connect().catch(() => undefined);
    if (running !== undefined) return this.#greet(running);
    const child = start(this.#parts.execRoot, this.#socketPath);
    const end = Date.now() + START_TIMEOUT_MS;
    for (;;) {
      const socket = await this.#connect().catch(() => undefined);
      if (socket !== undefined) return this.#greet(socket);
      if (child.exitCode !== null)
        throw internal(`it ended with ${child.exitCode}; see ${join(this.#parts.execRoot, 'companion.log')}`);
      if (Date.now() > end) throw internal('it does not answer');
      await sleep(5);
    }
  }

  #connect(): Promise<Socket> {
    return new Promise((resolve, reject) => {
      const socket = connect(this.#socketPath, () => {
        socket.off('error', reject);
        resolve(socket);
      });
      socket.once('error', reject);
    });
  }

  async #greet(socket: Socket): Promise<Socket> {
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#lost());
    createInterface({ input: socket }).on('line', (line) => this.#onLine(line));
    const hello = (await this.#send(socket, { op: 'hello' })) as CompanionHello;
    if (hello.version !== COMPANION_VERSION) {
      socket.removeAllListeners('close');
      await this.#send(socket, { op: 'quit' });
      await new Promise((resolve) => socket.once('close', resolve));
      const fresh = await this.#open();
      await this.#resend(fresh);
      return fresh;
    }
    this.#parts.onRelayPort(hello.relayPort);
    this.#live = socket;
    return socket;
  }

  #onLine(line: string): void {
    const { id, result, error } = JSON.parse(line) as { id: number; result?: unknown; error?: string };
    const call = this.#calls.get(id);
    this.#calls.delete(id);
    if (error === undefined) call?.resolve(result);
    else call?.reject(internal(error));
  }

  #lost(): void {
    this.#connection = undefined;
    this.#live = undefined;
    for (const call of this.#calls.values()) call.reject(unavailable('the network companion ended'));
    this.#calls.clear();
    if (this.#closing) return;
    const { names, publications } = this.#parts.current();
    if (names.length + publications.length === 0) return;
    this.#parts.log.warn('the network companion ended; starting it again');
    this.#ready()
      .then((socket) => this.#resend(socket))
      .catch((error: unknown) => this.#parts.log.error('network companion', { error: messageOf(error) }));
  }

  async #resend(socket: Socket): Promise<void> {
    const { names, publications } = this.#parts.current();
    for (const item of names) await this.#send(socket, { op: 'serve', names: item });
    for (const publication of publications) await this.#send(socket, { op: 'publish', publication });
  }

  /** To a connected companion the request is written before this returns, so that it works while the caller goes on. */
  #call(request: CompanionRequest): Promise<unknown> {
    if (this.#live !== undefined) return this.#send(this.#live, request);
    return this.#ready().then((socket) => this.#send(socket, request));
  }

  #send(socket: Socket, request: CompanionRequest): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const id = this.#next++;
      this.#calls.set(id, { resolve, reject });
      socket.write(`${JSON.stringify({ id, ...request })}\n`);
    });
  }
}

/** From source beside this file; in a build, beside the bundle. */
function program(): string {
  const own = import.meta.filename;
  return own.endsWith('.ts') ? join(dirname(own), 'companion-main.ts') : join(dirname(own), 'companion.mjs');
}

function start(execRoot: string, socketPath: string): ReturnType<typeof spawn> {
  mkdirSync(execRoot, { recursive: true, mode: 0o711 });
  const log = openSync(join(execRoot, 'companion.log'), 'a', 0o600);
  const child = spawn(process.execPath, ['--max-old-space-size=256', program(), socketPath], {
    detached: true,
    stdio: ['ignore', 'ignore', log],
    cwd: '/',
  });
  closeSync(log);
  child.unref();
  return child;
}
