import http from 'node:http';
import type { Duplex } from 'node:stream';
import { connect } from './connect.ts';
import { parseEndpoint } from './endpoint.ts';
import { ApiError, connectionError } from './errors.ts';
import type { Answer, ClientOptions, Endpoint, Hijacked, Query, RequestOptions } from './types.ts';

/** The newest version this client speaks. */
export const API_VERSION = '1.51';
/** The oldest one it can work with. */
export const MIN_API_VERSION = '1.24';

/** HTTP to one daemon. Throws ApiError for its refusals, ConnectionError if it cannot be reached. */
export class Transport {
  readonly endpoint: Endpoint;
  private readonly options: ClientOptions;
  private version: string;
  private negotiated: boolean;

  constructor(options: ClientOptions) {
    this.options = options;
    this.endpoint = parseEndpoint(options.host, options.tls !== undefined);
    this.version = options.version ?? API_VERSION;
    this.negotiated = options.version !== undefined;
  }

  /** The version in use; the daemon's own maximum once it has refused ours. */
  get apiVersion(): string {
    return this.version;
  }

  async request(method: string, path: string, options: RequestOptions = {}): Promise<Answer> {
    // A stream cannot be sent twice, so the version is settled before it starts.
    if (options.stream && !Buffer.isBuffer(options.stream)) await this.negotiate(options.signal);
    let answer = await this.send(method, path, options);
    if (answer.status >= 400) {
      const error = await this.failure(answer);
      if (!this.downgrade(error)) throw error;
      answer = await this.send(method, path, options);
      if (answer.status >= 400) throw await this.failure(answer);
    }
    this.negotiated = true;
    return answer;
  }

  async json<T>(method: string, path: string, options: RequestOptions = {}): Promise<T> {
    const answer = await this.request(method, path, options);
    const text = await readText(answer);
    return (text === '' ? undefined : JSON.parse(text)) as T;
  }

  /** For calls whose answer has no content. */
  async done(method: string, path: string, options: RequestOptions = {}): Promise<number> {
    const answer = await this.request(method, path, options);
    answer.body.resume();
    return answer.status;
  }

  /** Takes the connection over. The daemon answers 101 (Upgrade) or, as old ones do, 200 and then raw bytes. */
  async hijack(method: string, path: string, options: RequestOptions & { protocol?: string } = {}): Promise<Hijacked> {
    try {
      return await this.takeOver(method, path, options);
    } catch (error) {
      if (!this.downgrade(error)) throw error;
      return this.takeOver(method, path, options);
    }
  }

  private async takeOver(
    method: string,
    path: string,
    options: RequestOptions & { protocol?: string },
  ): Promise<Hijacked> {
    const socket = await this.open();
    const headers = { ...options.headers, connection: 'Upgrade', upgrade: options.protocol ?? 'tcp' };
    const payload = options.body === undefined ? undefined : Buffer.from(JSON.stringify(options.body));
    return new Promise((resolve, reject) => {
      const request = this.prepare(method, path, { ...options, headers }, socket, payload?.length ?? 0);
      const contentType = (value: string | undefined) => value ?? 'application/vnd.docker.raw-stream';
      request.on('upgrade', (response, stream, head) => {
        if (head.length > 0) stream.unshift(head);
        this.negotiated = true;
        resolve({ stream, contentType: contentType(response.headers['content-type']) });
      });
      request.on('response', (response) => {
        if ((response.statusCode ?? 0) >= 400)
          this.failure({ status: response.statusCode!, headers: response.headers, body: response }).then(
            reject,
            reject,
          );
        else reject(new Error(`unable to upgrade to ${options.protocol ?? 'tcp'}, received ${response.statusCode}`));
      });
      request.on('error', (error) => reject(connectionError(this.endpoint.url, error, this.options.tls !== undefined)));
      request.end(payload);
    });
  }

  /** Asks the daemon for its version once, for what cannot be repeated. */
  async negotiate(signal?: AbortSignal): Promise<void> {
    if (this.negotiated) return;
    const answer = await this.send('GET', '/_ping', { signal }, false);
    answer.body.resume();
    const theirs = String(answer.headers['api-version'] ?? MIN_API_VERSION);
    if (compareVersions(theirs, this.version) < 0) this.version = theirs;
    this.negotiated = true;
  }

  /** True if the error says that the daemon is older; the next try speaks its version. */
  private downgrade(error: unknown): boolean {
    if (this.negotiated || !(error instanceof ApiError) || error.status !== 400) return false;
    const theirs = /is too new\. Maximum supported API version is (\d+\.\d+)/.exec(error.message)?.[1];
    if (theirs === undefined || compareVersions(theirs, this.version) >= 0) return false;
    if (compareVersions(theirs, MIN_API_VERSION) < 0)
      throw new ApiError(
        400,
        `the daemon speaks API version ${theirs}, but this client needs ${MIN_API_VERSION} or newer: upgrade the daemon`,
      );
    this.version = theirs;
    this.negotiated = true;
    return true;
  }

  private open(): Promise<Duplex> {
    return connect(this.endpoint, this.options.tls);
  }

  private async send(method: string, path: string, options: RequestOptions, versioned = true): Promise<Answer> {
    const socket = await this.open();
    const payload = options.body === undefined ? undefined : Buffer.from(JSON.stringify(options.body));
    const buffer = Buffer.isBuffer(options.stream) ? options.stream : payload;
    return new Promise((resolve, reject) => {
      const length = options.stream && !buffer ? undefined : (buffer?.length ?? 0);
      const request = this.prepare(method, path, options, socket, length, versioned);
      request.on('response', (response) =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: response }),
      );
      request.on('error', (error) => reject(connectionError(this.endpoint.url, error, this.options.tls !== undefined)));
      if (options.stream && !Buffer.isBuffer(options.stream)) {
        options.stream.on('error', (error) => request.destroy(error));
        options.stream.pipe(request);
      } else request.end(buffer);
    });
  }

  private prepare(
    method: string,
    path: string,
    options: RequestOptions,
    socket: Duplex,
    length: number | undefined,
    versioned = true,
  ): http.ClientRequest {
    const headers: Record<string, string> = {
      host: this.endpoint.kind === 'tcp' ? `${this.endpoint.host}:${this.endpoint.port}` : 'api.moby.localhost',
      'user-agent': this.options.userAgent ?? 'Gantry-Client/0.1',
      ...this.options.headers,
      ...options.headers,
    };
    if (options.body !== undefined) headers['content-type'] = 'application/json';
    else if (options.contentType !== undefined) headers['content-type'] = options.contentType;
    if (length === undefined) headers['transfer-encoding'] = 'chunked';
    else if (length > 0 || method === 'POST' || method === 'PUT') headers['content-length'] = String(length);
    const base = this.endpoint.kind === 'tcp' ? this.endpoint.basePath : '';
    return http.request({
      createConnection: () => socket,
      method,
      path: `${base}${versioned ? `/v${this.version}` : ''}${path}${encodeQuery(options.query)}`,
      headers,
      ...(options.signal ? { signal: options.signal } : {}),
    });
  }

  private async failure(answer: Answer): Promise<ApiError> {
    const text = await readText(answer);
    let message = text.trim();
    try {
      const parsed = JSON.parse(text) as { message?: string };
      if (typeof parsed.message === 'string') message = parsed.message.trim();
    } catch {
      // Not an Engine API error: a proxy's page, say. Its text is all there is.
    }
    return new ApiError(
      answer.status,
      message || `request returned ${http.STATUS_CODES[answer.status] ?? answer.status}`,
    );
  }
}

/** The whole body as text. For answers of bounded size only. */
export async function readText(answer: Answer): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of answer.body) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

function encodeQuery(query: Query | undefined): string {
  if (!query) return '';
  const parts: string[] = [];
  for (const [key, value] of Object.entries(query)) {
    if (value === undefined || value === false || value === '') continue;
    const values = Array.isArray(value) ? (value as string[]) : [value === true ? '1' : String(value)];
    for (const item of values) parts.push(`${encodeURIComponent(key)}=${encodeURIComponent(item)}`);
  }
  return parts.length === 0 ? '' : `?${parts.join('&')}`;
}

/** Compares `1.43` and `1.5` by their numbers. */
export function compareVersions(left: string, right: string): number {
  const [a, b] = [left, right].map((text) => text.split('.').map(Number)) as [number[], number[]];
  for (let index = 0; index < Math.max(a.length, b.length); index++) {
    const difference = (a[index] ?? 0) - (b[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
