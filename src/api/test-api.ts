import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger, unavailable } from '../common/index.ts';
import type { Engine } from '../engine/index.ts';
import { createApi } from './server.ts';

/** What a test says of the engine; all else answers `unavailable`. */
export type FakeEngine = { [Service in keyof Engine]?: Partial<Engine[Service]> };

const absent = (name: string): object =>
  new Proxy(
    {},
    {
      get: () => () => {
        throw unavailable(`${name} is not part of this test`);
      },
    },
  );

export interface TestApi extends AsyncDisposable {
  /** One request on a connection of its own; everything until the server closes. */
  ask(method: string, path: string, options?: { body?: string; headers?: Record<string, string> }): Promise<RawAnswer>;
  connect(): Promise<TestSocket>;
}
export interface RawAnswer {
  status: number;
  head: string;
  body: string;
}

/** A connection that keeps what it read. */
export class TestSocket {
  readonly socket: Socket;
  #received: Buffer = Buffer.alloc(0);
  #ended = false;
  #wake: () => void = () => {};
  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      this.#wake();
    });
    const end = () => {
      this.#ended = true;
      this.#wake();
    };
    socket.on('end', end).on('close', end).on('error', end);
  }
  get text(): string {
    return this.#received.toString('latin1');
  }
  send(text: string | Uint8Array): void {
    this.socket.write(typeof text === 'string' ? Buffer.from(text, 'latin1') : text);
  }
  /** Resolves when the text has come, or rejects when the connection ended without it. */
  async until(text: string): Promise<string> {
    while (!this.text.includes(text)) {
      if (this.#ended) throw new Error(`ended without ${JSON.stringify(text)}: ${JSON.stringify(this.text)}`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.text;
  }
  async end(): Promise<string> {
    while (!this.#ended)
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    return this.text;
  }
}

/** The API over a socket of its own, with an engine of small objects. */
export async function openTestApi(fake: FakeEngine): Promise<TestApi> {
  const services = [
    'containers',
    'execs',
    'logs',
    'archive',
    'networks',
    'images',
    'volumes',
    'events',
    'system',
    'build',
  ] as const;
  const engine = Object.fromEntries(services.map((name) => [name, fake[name] ?? absent(name)])) as unknown as Engine;
  const api = createApi({ engine, log: silentLogger, version: '0.0.0' });
  const directory = mkdtempSync(join(tmpdir(), 'gt-api-'));
  const path = join(directory, 's');
  const server = createServer({ allowHalfOpen: true }, (socket) => api.accept(socket));
  await new Promise<void>((resolve) => server.listen(path, resolve));
  const open = () =>
    new Promise<TestSocket>((resolve, reject) => {
      const socket = connect({ path, allowHalfOpen: true });
      socket.once('error', reject);
      socket.once('connect', () => resolve(new TestSocket(socket)));
    });
  return {
    connect: open,
    async ask(method, target, { body, headers = {} } = {}) {
      const client = await open();
      const sent: Record<string, string> = {
        Host: 'd',
        Connection: 'close',
        ...(body === undefined ? {} : { 'Content-Length': String(Buffer.byteLength(body)) }),
        ...headers,
      };
      const lines = Object.entries(sent).map(([name, value]) => `${name}: ${value}\r\n`);
      client.send(`${method} ${target} HTTP/1.1\r\n${lines.join('')}\r\n${body ?? ''}`);
      const text = await client.end();
      client.socket.destroy();
      const cut = text.indexOf('\r\n\r\n');
      return { status: Number(text.slice(9, 12)), head: text.slice(0, cut), body: text.slice(cut + 4) };
    },
    async [Symbol.asyncDispose]() {
      await api.close(0);
      await new Promise<void>((resolve) => server.close(() => resolve()));
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

export const JSON_BODY = { 'Content-Type': 'application/json' };
