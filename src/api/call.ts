import { type IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Duplex, type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { z } from 'zod';
import { invalid } from '../common/index.ts';
import { RegistryAuth } from '../wire/index.ts';
import { RAW_STREAM } from './frames.ts';
import { readJson } from './json-body.ts';
import { MessageStream } from './message-stream.ts';
import type { Query } from './query.ts';
import type { ApiVersion } from './version.ts';

export interface CallParts {
  request: IncomingMessage;
  response: ServerResponse;
  params: Record<string, string>;
  query: Query;
  version: ApiVersion;
  signal: AbortSignal;
  /** The connection, if the request asked to leave HTTP. */
  socket?: Socket;
  /** The body, where it is no longer in the request. */
  body?: Buffer;
}

/** One request with its answer. */
export class Call {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly params: Readonly<Record<string, string>>;
  readonly query: Query;
  readonly version: ApiVersion;
  /** Fires when the client goes away before its answer is complete. */
  readonly signal: AbortSignal;
  readonly #socket: Socket | undefined;
  readonly #body: Buffer | undefined;
  #hijacked = false;

  constructor(parts: CallParts) {
    this.request = parts.request;
    this.response = parts.response;
    this.params = parts.params;
    this.query = parts.query;
    this.version = parts.version;
    this.signal = parts.signal;
    this.#socket = parts.socket;
    this.#body = parts.body;
  }

  /** The `{name}` of the path. */
  get name(): string {
    return this.params.name ?? '';
  }
  /** True if the client asked for `101 UPGRADED`. */
  get wantsUpgrade(): boolean {
    return this.request.headers.upgrade !== undefined;
  }

  /** The JSON body; one that is empty reads as an empty object, as moby does nearly everywhere. */
  async body<T>(schema: z.ZodType<T>, typeName: string): Promise<T> {
    return (await readJson(this.request, schema, { typeName, body: this.#body })) ?? schema.parse({});
  }
  /** As `body`, but an empty one is an error. */
  async neededBody<T>(schema: z.ZodType<T>, typeName: string): Promise<T> {
    return (await readJson(this.request, schema, { typeName, needed: true, body: this.#body })) as T;
  }

  /** `X-Registry-Auth`: base64url of JSON. What cannot be read counts as none, as in moby: clients without credentials send `null`. */
  registryAuth(): RegistryAuth | undefined {
    const header = this.request.headers['x-registry-auth'];
    if (typeof header !== 'string' || header === '') return undefined;
    try {
      return RegistryAuth.safeParse(JSON.parse(Buffer.from(header, 'base64url').toString())).data;
    } catch {
      return undefined;
    }
  }

  json(value: unknown, status = 200): void {
    const bytes = Buffer.from(`${JSON.stringify(value)}\n`);
    this.response.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': bytes.length });
    this.response.end(bytes);
  }
  empty(status = 204): void {
    this.response.writeHead(status, status === 204 || status === 304 ? {} : { 'Content-Length': 0 });
    this.response.end();
  }
  /** Sends headers now, for an answer that takes its time. */
  begin(contentType: string): void {
    this.response.writeHead(200, { 'Content-Type': contentType });
    this.response.flushHeaders();
  }
  messages(): MessageStream {
    return new MessageStream(this.response);
  }
  /** Resolves when the client has taken enough for more. Rejects if it is gone. */
  async write(chunk: Uint8Array | string): Promise<void> {
    this.signal.throwIfAborted();
    if (this.response.write(chunk)) return;
    await drained(this.response, this.signal);
  }

  /** Sends a stream whose errors before the first byte are still answers of their own. */
  async send(source: Readable, contentType: string, headers: Record<string, string> = {}): Promise<void> {
    await firstByte(source, this.signal);
    this.response.writeHead(200, { 'Content-Type': contentType, ...headers });
    await pipeline(source, this.response, { signal: this.signal });
  }

  /** Leaves HTTP: the answer's head is sent and the connection is the caller's, raw both ways. */
  hijack(contentType: string): Duplex {
    this.#hijacked = true;
    const socket = this.#socket;
    if (socket === undefined) {
      // A request behind another one on its connection, without Upgrade: its own body is the input.
      this.response.useChunkedEncodingByDefault = false;
      this.response.shouldKeepAlive = false;
      this.response.writeHead(200, { 'Content-Type': RAW_STREAM, Connection: 'close' });
      this.response.flushHeaders();
      // The pair form is missing from Node's types.
      const pair = { readable: this.request, writable: this.response };
      return Duplex.from(pair as unknown as NodeJS.ReadableStream);
    }
    this.response.detachSocket(socket);
    this.request.resume();
    const first = this.wantsUpgrade
      ? `HTTP/1.1 101 UPGRADED\r\nContent-Type: ${contentType}\r\nConnection: Upgrade\r\nUpgrade: ${this.request.headers.upgrade ?? 'tcp'}\r\n`
      : `HTTP/1.1 200 OK\r\nContent-Type: ${RAW_STREAM}\r\n`;
    const others = this.response
      .getHeaderNames()
      .map((name) => `${titled(name)}: ${String(this.response.getHeader(name))}\r\n`);
    socket.write(`${first}${others.join('')}\r\n`);
    return socket;
  }
  /** The connection for a protocol that writes its own answer (websocket). */
  takeSocket(): Socket {
    if (this.#socket === undefined) throw invalid('bad handshake');
    this.#hijacked = true;
    this.response.detachSocket(this.#socket);
    return this.#socket;
  }

  fail(status: number, message: string, plain = false): void {
    if (this.response.headersSent || this.#hijacked) {
      this.response.destroy();
      this.#socket?.destroy();
      return;
    }
    if (status === 304) {
      this.empty(304);
      return;
    }
    if (!plain) {
      this.json({ message }, status);
      return;
    }
    const bytes = Buffer.from(`${message}\n`);
    this.response.writeHead(status, {
      'Content-Type': 'text/plain; charset=utf-8',
      'Content-Length': bytes.length,
      'X-Content-Type-Options': 'nosniff',
    });
    this.response.end(bytes);
  }
}

/** `api-version` → `Api-Version`: HTTP does not care, but people read it. */
const titled = (name: string): string => name.replace(/(^|-)[a-z]/g, (letters) => letters.toUpperCase());

/** A response on a connection that Node's server has given away (`upgrade`). */
export function responseOn(request: IncomingMessage, socket: Socket): ServerResponse {
  const response = new ServerResponse(request);
  response.shouldKeepAlive = false;
  response.assignSocket(socket);
  response.on('finish', () => {
    response.detachSocket(socket);
    socket.end();
    socket.resume();
  });
  return response;
}

function drained(stream: ServerResponse, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const done = () => {
      stream.off('drain', done);
      stream.off('close', done);
      signal.removeEventListener('abort', done);
      if (signal.aborted) reject(signal.reason);
      else resolve();
    };
    stream.on('drain', done);
    stream.on('close', done);
    signal.addEventListener('abort', done);
  });
}

function firstByte(source: Readable, signal: AbortSignal): Promise<void> {
  if (source.readableLength > 0 || source.readableEnded) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const settle = (error?: unknown) => {
      source.off('readable', ready);
      source.off('end', ready);
      source.off('error', settle);
      signal.removeEventListener('abort', abort);
      if (error === undefined) resolve();
      else reject(error);
    };
    const ready = () => settle();
    const abort = () => {
      source.destroy();
      settle(signal.reason);
    };
    source.on('readable', ready);
    source.on('end', ready);
    source.on('error', settle);
    signal.addEventListener('abort', abort);
  });
}
