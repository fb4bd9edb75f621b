import { createHash, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';

export const sha256 = (bytes: Uint8Array | string): string =>
  `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

/** What to do instead of answering. Times and bytes are of this one answer. */
export type Fault =
  | { status: number; body?: string | Buffer; headers?: Record<string, string> }
  /** The connection is cut before an answer. */
  | 'reset'
  /** Headers say the whole length; the connection is cut after so many bytes of the body. */
  | { cutAfter: number }
  /** Waits before it answers. */
  | { delayMs: number }
  /** Sends the body in pieces with pauses. */
  | { chunkBytes: number; pauseMs: number };

export interface SeenRequest {
  method: string;
  path: string;
  headers: IncomingMessage['headers'];
}

export interface FakeRegistryOptions {
  auth?: 'none' | 'basic' | 'token';
  /** The user that may push and pull; with `token` others may pull what is public. */
  user?: { name: string; password: string };
  /** With `token`: nobody needs a password to pull. */
  anonymousPull?: boolean;
  /** Seconds that a token is good for. */
  tokenSeconds?: number;
  tls?: { key: string; cert: string };
  /** Answers `/v1/search` as the Hub does. */
  search?: unknown;
  /** Range requests get the whole blob. */
  noRanges?: boolean;
}

interface Manifest {
  mediaType: string;
  bytes: Buffer;
}

interface Upload {
  repository: string;
  bytes: Buffer;
}

interface Token {
  scopes: string[];
  expiresMs: number;
}

/**
 * A registry in this process (OCI distribution-spec 1.1): blobs and manifests in memory, with switches for auth, faults, slow and broken
 * transfers. Whatever it is given it serves: also what is wrong.
 */
export class FakeRegistry {
  readonly options: FakeRegistryOptions;
  readonly blobs = new Map<string, Buffer>();
  /** By `repository:tag` and `repository@digest`. */
  readonly manifests = new Map<string, Manifest>();
  /** Which repositories have a blob. */
  readonly owners = new Map<string, Set<string>>();
  readonly requests: SeenRequest[] = [];
  /** Asked for each request; the first thing that it returns happens. */
  fault: ((request: SeenRequest) => Fault | undefined) | undefined;
  readonly #server: Server;
  readonly #uploads = new Map<string, Upload>();
  readonly #tokens = new Map<string, Token>();
  /** Good for an OAuth2 POST. */
  readonly identityTokens = new Set<string>();

  private constructor(options: FakeRegistryOptions) {
    this.options = options;
    const serve = (request: IncomingMessage, response: ServerResponse) => void this.#serve(request, response);
    this.#server =
      options.tls === undefined ? createServer(serve) : (createTlsServer(options.tls, serve) as unknown as Server);
  }

  static async start(options: FakeRegistryOptions = {}): Promise<FakeRegistry> {
    const registry = new FakeRegistry(options);
    await new Promise<void>((resolve) => registry.#server.listen(0, '127.0.0.1', resolve));
    return registry;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }
  /** As in image names. */
  get host(): string {
    return `127.0.0.1:${this.port}`;
  }
  get url(): string {
    return `${this.options.tls === undefined ? 'http' : 'https'}://${this.host}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  connections(): Promise<number> {
    return new Promise((resolve, reject) =>
      this.#server.getConnections((error, count) => (error ? reject(error) : resolve(count))),
    );
  }

  /** How many requests match `METHOD path`. */
  count(pattern: RegExp): number {
    return this.requests.filter(({ method, path }) => pattern.test(`${method} ${path}`)).length;
  }

  addBlob(repository: string, bytes: Buffer, digest = sha256(bytes)): { digest: string; size: number } {
    this.blobs.set(digest, bytes);
    this.owners.set(digest, (this.owners.get(digest) ?? new Set()).add(repository));
    return { digest, size: bytes.length };
  }

  addManifest(
    repository: string,
    tag: string | undefined,
    mediaType: string,
    document: unknown,
  ): { digest: string; size: number; mediaType: string } {
    const bytes = Buffer.isBuffer(document) ? document : Buffer.from(JSON.stringify(document));
    const digest = sha256(bytes);
    this.manifests.set(`${repository}@${digest}`, { mediaType, bytes });
    if (tag !== undefined) this.manifests.set(`${repository}:${tag}`, { mediaType, bytes });
    return { digest, size: bytes.length, mediaType };
  }

  /** Tokens that were given are good no more. */
  expireTokens(): void {
    this.#tokens.clear();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', this.url);
    const seen: SeenRequest = {
      method: request.method ?? '',
      path: `${url.pathname}${url.search}`,
      headers: request.headers,
    };
    this.requests.push(seen);
    request.on('error', () => {});
    response.on('error', () => {});
    let fault: Fault | undefined;
    try {
      fault = this.fault?.(seen);
      if (fault === 'reset') {
        request.socket.destroy();
        return;
      }
      if (fault !== undefined && 'delayMs' in fault) await sleep(fault.delayMs);
      if (fault !== undefined && 'status' in fault) {
        request.resume();
        response.writeHead(fault.status, fault.headers).end(fault.body ?? '');
        return;
      }
      await this.#route(request, response, url, fault);
    } catch (error) {
      if (!response.headersSent) response.writeHead(500);
      response.end(String(error));
    }
  }

  async #route(request: IncomingMessage, response: ServerResponse, url: URL, fault: Fault | undefined): Promise<void> {
    const path = url.pathname;
    if (path === '/token') return await this.#token(request, response, url);
    if (path === '/v1/search') {
      if (this.options.search === undefined) return void response.writeHead(404).end('404 page not found');
      return void response
        .writeHead(200, { 'content-type': 'application/json' })
        .end(JSON.stringify(this.options.search));
    }
    const match = /^\/v2\/(.+)\/(manifests|blobs|tags)\/(.*)$/.exec(path);
    const repository = match?.[1] ?? '';
    const action = request.method === 'GET' || request.method === 'HEAD' ? 'pull' : 'push';
    const scope =
      path === '/v2/_catalog' ? 'registry:catalog:*' : repository === '' ? '' : `repository:${repository}:${action}`;
    if (!this.#allowed(request, response, scope)) {
      request.resume();
      return;
    }
    if (path === '/v2/') return void response.writeHead(200).end('{}');
    if (path === '/v2/_catalog')
      return this.#json(response, {
        repositories: [...new Set([...this.manifests.keys()].map((name) => name.replace(/[@:].*$/, '')))],
      });
    if (match === null) return this.#error(response, 404, 'UNSUPPORTED', 'no such route');
    const rest = match[3] ?? '';
    if (match[2] === 'tags') return this.#tags(response, repository);
    if (match[2] === 'manifests') return await this.#manifest(request, response, repository, rest);
    if (rest.startsWith('uploads/'))
      return await this.#upload(request, response, url, repository, rest.slice('uploads/'.length));
    await this.#blob(request, response, repository, rest, fault);
  }

  #json(response: ServerResponse, value: unknown): void {
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value));
  }
  #error(response: ServerResponse, status: number, code: string, message: string): void {
    response
      .writeHead(status, { 'content-type': 'application/json' })
      .end(JSON.stringify({ errors: [{ code, message }] }));
  }

  #allowed(request: IncomingMessage, response: ServerResponse, scope: string): boolean {
    const { auth = 'none' } = this.options;
    if (auth === 'none') return true;
    const header = request.headers.authorization ?? '';
    if (auth === 'basic') {
      if (this.#isUser(header)) return true;
      response.setHeader('www-authenticate', 'Basic realm="test"');
      this.#error(response, 401, 'UNAUTHORIZED', 'authentication required');
      return false;
    }
    const token = this.#tokens.get(header.replace(/^Bearer /, ''));
    const good = token !== undefined && token.expiresMs > Date.now();
    if (good && (scope === '' || token.scopes.some((given) => covers(given, scope)))) return true;
    const error = good ? ',error="insufficient_scope"' : header === '' ? '' : ',error="invalid_token"';
    const wanted = scope === '' ? '' : `,scope="${scope}"`;
    response.setHeader('www-authenticate', `Bearer realm="${this.url}/token",service="test"${wanted}${error}`);
    this.#error(response, 401, 'UNAUTHORIZED', 'authentication required');
    return false;
  }

  #isUser(header: string): boolean {
    const { user } = this.options;
    return user !== undefined && header === `Basic ${Buffer.from(`${user.name}:${user.password}`).toString('base64')}`;
  }

  async #token(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    const form = request.method === 'POST' ? new URLSearchParams((await bodyOf(request)).toString()) : url.searchParams;
    const header = request.headers.authorization;
    const known =
      request.method === 'POST' ? this.identityTokens.has(form.get('refresh_token') ?? '') : this.#isUser(header ?? '');
    if (!known && (header !== undefined || request.method === 'POST'))
      return void response
        .writeHead(401, { 'content-type': 'application/json' })
        .end(JSON.stringify({ details: 'incorrect username or password' }));
    const asked = request.method === 'POST' ? (form.get('scope') ?? '').split(' ') : form.getAll('scope');
    const scopes = asked.filter((scope) => known || (this.options.anonymousPull === true && scope.endsWith(':pull')));
    const value = randomUUID();
    const seconds = this.options.tokenSeconds ?? 300;
    this.#tokens.set(value, { scopes, expiresMs: Date.now() + seconds * 1000 });
    const identity = form.get('offline_token') === 'true' && known ? randomUUID() : undefined;
    if (identity !== undefined) this.identityTokens.add(identity);
    this.#json(response, {
      token: value,
      expires_in: seconds,
      ...(identity === undefined ? {} : { refresh_token: identity }),
    });
  }

  #tags(response: ServerResponse, repository: string): void {
    const tags = [...this.manifests.keys()]
      .filter((name) => name.startsWith(`${repository}:`))
      .map((name) => name.slice(repository.length + 1));
    if (tags.length > 0) this.#json(response, { name: repository, tags: tags.sort() });
    else this.#error(response, 404, 'NAME_UNKNOWN', 'repository name not known to registry');
  }

  async #manifest(
    request: IncomingMessage,
    response: ServerResponse,
    repository: string,
    reference: string,
  ): Promise<void> {
    if (request.method === 'PUT') {
      const bytes = await bodyOf(request);
      const mediaType = request.headers['content-type'] ?? '';
      const { digest } = this.addManifest(
        repository,
        reference.includes(':') ? undefined : reference,
        mediaType,
        bytes,
      );
      return void response
        .writeHead(201, { 'docker-content-digest': digest, location: `/v2/${repository}/manifests/${digest}` })
        .end();
    }
    const found = this.manifests.get(`${repository}${reference.includes(':') ? '@' : ':'}${reference}`);
    if (found === undefined) return this.#error(response, 404, 'MANIFEST_UNKNOWN', 'manifest unknown');
    const headers = {
      'content-type': found.mediaType,
      'content-length': String(found.bytes.length),
      'docker-content-digest': sha256(found.bytes),
    };
    response.writeHead(200, headers).end(request.method === 'HEAD' ? undefined : found.bytes);
  }

  async #blob(
    request: IncomingMessage,
    response: ServerResponse,
    repository: string,
    digest: string,
    fault: Fault | undefined,
  ): Promise<void> {
    const bytes = this.owners.get(digest)?.has(repository) ? this.blobs.get(digest) : undefined;
    if (bytes === undefined) return this.#error(response, 404, 'BLOB_UNKNOWN', 'blob unknown to registry');
    const range = this.options.noRanges ? undefined : /^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1];
    const start = Number(range ?? 0);
    if (start >= bytes.length && bytes.length > 0) return void response.writeHead(416).end();
    const part = bytes.subarray(start);
    response.writeHead(range === undefined ? 200 : 206, {
      'content-type': 'application/octet-stream',
      'content-length': String(part.length),
      ...(range === undefined ? {} : { 'content-range': `bytes ${start}-${bytes.length - 1}/${bytes.length}` }),
    });
    if (request.method === 'HEAD') return void response.end();
    if (fault !== undefined && typeof fault === 'object' && 'cutAfter' in fault) {
      response.write(part.subarray(0, fault.cutAfter), () => setImmediate(() => request.socket.destroy()));
      return;
    }
    if (fault !== undefined && typeof fault === 'object' && 'chunkBytes' in fault) {
      for (let at = 0; at < part.length && !response.destroyed; at += fault.chunkBytes) {
        response.write(part.subarray(at, at + fault.chunkBytes));
        await sleep(fault.pauseMs);
      }
      return void response.end();
    }
    response.end(part);
  }

  async #upload(
    request: IncomingMessage,
    response: ServerResponse,
    url: URL,
    repository: string,
    id: string,
  ): Promise<void> {
    const location = (upload: string) => ({ location: `/v2/${repository}/blobs/uploads/${upload}` });
    if (request.method === 'POST') {
      request.resume();
      const [mount, from] = [url.searchParams.get('mount'), url.searchParams.get('from')];
      if (mount !== null && from !== null && this.owners.get(mount)?.has(from)) {
        this.owners.get(mount)?.add(repository);
        return void response.writeHead(201, { location: `/v2/${repository}/blobs/${mount}` }).end();
      }
      const fresh = randomUUID();
      this.#uploads.set(fresh, { repository, bytes: Buffer.alloc(0) });
      return void response.writeHead(202, { ...location(fresh), range: '0-0' }).end();
    }
    const upload = this.#uploads.get(id);
    if (upload === undefined) {
      request.resume();
      return this.#error(response, 404, 'BLOB_UPLOAD_UNKNOWN', 'blob upload unknown to registry');
    }
    const state = () => ({ ...location(id), range: `0-${Math.max(0, upload.bytes.length - 1)}` });
    if (request.method === 'DELETE') {
      this.#uploads.delete(id);
      return void response.writeHead(204).end();
    }
    if (request.method === 'GET') return void response.writeHead(204, state()).end();
    const range = /^(\d+)-/.exec(request.headers['content-range'] ?? '')?.[1];
    if (range !== undefined && Number(range) !== upload.bytes.length) {
      request.resume();
      return void response.writeHead(416, state()).end();
    }
    upload.bytes = Buffer.concat([upload.bytes, await bodyOf(request)]);
    if (request.method === 'PATCH') return void response.writeHead(202, state()).end();
    this.#uploads.delete(id);
    const digest = url.searchParams.get('digest') ?? '';
    if (sha256(upload.bytes) !== digest)
      return this.#error(response, 400, 'DIGEST_INVALID', 'provided digest did not match uploaded content');
    this.addBlob(repository, upload.bytes);
    response.writeHead(201, { location: `/v2/${repository}/blobs/${digest}`, 'docker-content-digest': digest }).end();
  }
}

function covers(given: string, wanted: string): boolean {
  if (given === wanted) return true;
  const [, name, actions = ''] = /^(.*):([^:]*)$/.exec(given) ?? [];
  const [, wantedName, wantedAction = ''] = /^(.*):([^:]*)$/.exec(wanted) ?? [];
  return name === wantedName && actions.split(',').includes(wantedAction);
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
