import type { Readable } from 'node:stream';
import { type Dispatcher, request } from 'undici';
import { z } from 'zod';
import {
  type EngineError,
  invalid,
  isKind,
  messageOf,
  notFound,
  tooLarge,
  unauthorized,
  unavailable,
} from '../../common/index.ts';
import type { RegistryAuth } from '../../wire/index.ts';
import { Authorizer } from './auth.ts';
import type { Endpoint } from './endpoints.ts';

/** distribution-spec: a manifest may have four megabytes. */
export const MAX_MANIFEST = 4 * 1024 * 1024;
const ATTEMPTS = 5;
const ACCEPT = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.docker.distribution.manifest.v2+json',
].join(', ');

const ErrorBody = z.object({
  errors: z
    .array(z.object({ code: z.string().optional(), message: z.string().optional(), detail: z.unknown().optional() }))
    .optional(),
});

export interface RemoteManifest {
  digest: string;
  mediaType: string;
  bytes: Buffer;
}

type Call = {
  method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  path: string;
  scope: string;
  headers?: Record<string, string>;
  body?: () => Promise<Readable | Buffer> | Readable | Buffer;
  signal: AbortSignal;
};

const TEMPORARY = new Set([408, 429, 500, 502, 503, 504]);
const NETWORK = /ECONNRESET|ETIMEDOUT|EPIPE|UND_ERR_SOCKET|UND_ERR_HEADERS_TIMEOUT|UND_ERR_BODY_TIMEOUT|EAI_AGAIN/;

/** One repository's registry (OCI distribution-spec 1.1, Docker Registry v2), with auth, retries and a fall-back over its endpoints. */
export class RegistryClient {
  readonly #endpoints: readonly Endpoint[];
  readonly #auth: Authorizer;
  readonly #path: string;
  #endpoint: Endpoint | undefined;

  constructor(endpoints: readonly Endpoint[], path: string, auth: RegistryAuth | undefined) {
    this.#endpoints = endpoints;
    this.#path = path;
    this.#auth = new Authorizer(auth);
  }

  scope(actions: string): string {
    return `repository:${this.#path}:${actions}`;
  }

  /** Finds the endpoint that answers; the last failure is told when none does. */
  async connect(signal: AbortSignal): Promise<Endpoint> {
    if (this.#endpoint !== undefined) return this.#endpoint;
    let failure: unknown;
    for (const endpoint of this.#endpoints) {
      try {
        const response = await request(`${endpoint.url}/v2/`, { dispatcher: endpoint.dispatcher, signal });
        await response.body.dump();
        if (response.statusCode === 200 || response.statusCode === 401) {
          if (response.statusCode === 401)
            await this.#auth
              .answer(headerOf(response, 'www-authenticate'), '', endpoint.dispatcher, signal)
              .catch((error: unknown) =>
                isKind(error, 'unauthorized') ? Promise.reject(error as EngineError) : undefined,
              );
          this.#endpoint = endpoint;
          return endpoint;
        }
        failure = unavailable(`unexpected status code ${response.statusCode} from ${endpoint.url}/v2/`);
      } catch (error) {
        if (signal.aborted || isKind(error, 'unauthorized')) throw error;
        failure = unavailable(`Get "${endpoint.url}/v2/": ${describe(error)}`, error);
      }
    }
    throw failure ?? unavailable('no registry endpoint');
  }

  async #call(call: Call): Promise<Dispatcher.ResponseData> {
    const endpoint = await this.connect(call.signal);
    const url = call.path.startsWith('http') ? call.path : `${endpoint.url}${call.path}`;
    for (let attempt = 1, challenged = 0; ; attempt++) {
      call.signal.throwIfAborted();
      try {
        const authorization = this.#auth.header(call.scope);
        const response = await request(url, {
          method: call.method,
          dispatcher: endpoint.dispatcher,
          signal: call.signal,
          headers: {
            'user-agent': 'gantry',
            ...(authorization === undefined || !url.startsWith(endpoint.url) ? {} : { authorization }),
            ...call.headers,
          },
          body: call.body === undefined ? null : await call.body(),
        });
        if (response.statusCode === 401 && challenged < 2) {
          challenged++;
          await response.body.dump();
          if (
            await this.#auth.answer(
              headerOf(response, 'www-authenticate'),
              call.scope,
              endpoint.dispatcher,
              call.signal,
            )
          )
            continue;
          throw unauthorized('unauthorized: authentication required');
        }
        if (!TEMPORARY.has(response.statusCode) || attempt >= ATTEMPTS) return response;
        await response.body.dump();
        await pause(Number(headerOf(response, 'retry-after') ?? 0) * 1000 || backoff(attempt), call.signal);
      } catch (error) {
        if (
          call.signal.aborted ||
          attempt >= ATTEMPTS ||
          !NETWORK.test(`${(error as NodeJS.ErrnoException).code} ${messageOf(error)}`)
        )
          throw error;
        await pause(backoff(attempt), call.signal);
      }
    }
  }

  async manifest(reference: string, signal: AbortSignal): Promise<RemoteManifest> {
    const response = await this.#call({
      method: 'GET',
      path: `/v2/${this.#path}/manifests/${reference}`,
      scope: this.scope('pull'),
      headers: { accept: ACCEPT },
      signal,
    });
    if (response.statusCode !== 200) throw await failureOf(response);
    const chunks: Buffer[] = [];
    let bytes = 0;
    for await (const chunk of response.body as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > MAX_MANIFEST) throw tooLarge(`manifest is larger than ${MAX_MANIFEST} bytes`);
      chunks.push(chunk);
    }
    const type = (headerOf(response, 'content-type') ?? '').split(';')[0]!.trim();
    return { digest: headerOf(response, 'docker-content-digest') ?? '', mediaType: type, bytes: Buffer.concat(chunks) };
  }

  /** True if the registry has the manifest already. */
  async hasManifest(
    reference: string,
    signal: AbortSignal,
  ): Promise<{ digest: string; mediaType: string; size: number } | undefined> {
    const response = await this.#call({
      method: 'HEAD',
      path: `/v2/${this.#path}/manifests/${reference}`,
      scope: this.scope('pull'),
      headers: { accept: ACCEPT },
      signal,
    });
    await response.body.dump();
    if (response.statusCode !== 200) return undefined;
    return {
      digest: headerOf(response, 'docker-content-digest') ?? '',
      mediaType: headerOf(response, 'content-type') ?? '',
      size: Number(headerOf(response, 'content-length') ?? 0),
    };
  }

  async blob(
    digest: string,
    offset: number,
    signal: AbortSignal,
  ): Promise<{ stream: AsyncIterable<Buffer>; offset: number; size: number }> {
    let response = await this.#call({
      method: 'GET',
      path: `/v2/${this.#path}/blobs/${digest}`,
      scope: this.scope('pull'),
      headers: offset > 0 ? { range: `bytes=${offset}-` } : {},
      signal,
    });
    for (let hops = 0; response.statusCode >= 300 && response.statusCode < 400 && hops < 5; hops++) {
      await response.body.dump();
      const location = new URL(headerOf(response, 'location') ?? '', (await this.connect(signal)).url).href;
      response = await this.#call({
        method: 'GET',
        path: location,
        scope: this.scope('pull'),
        headers: offset > 0 ? { range: `bytes=${offset}-` } : {},
        signal,
      });
    }
    if (response.statusCode !== 200 && response.statusCode !== 206) throw await failureOf(response);
    const partial = response.statusCode === 206;
    return {
      stream: response.body as AsyncIterable<Buffer>,
      offset: partial ? offset : 0,
      size: Number(headerOf(response, 'content-length') ?? 0) + (partial ? offset : 0),
    };
  }

  async hasBlob(digest: string, signal: AbortSignal): Promise<boolean> {
    const response = await this.#call({
      method: 'HEAD',
      path: `/v2/${this.#path}/blobs/${digest}`,
      scope: this.scope('pull,push'),
      signal,
    });
    await response.body.dump();
    return response.statusCode === 200;
  }

  /** Uploads a blob in one PUT; returns `mounted` when another repository of the registry gave it. */
  async upload(
    digest: string,
    size: number,
    open: () => Promise<Readable>,
    from: string | undefined,
    signal: AbortSignal,
  ): Promise<'uploaded' | 'mounted'> {
    const query = from === undefined ? '' : `?mount=${encodeURIComponent(digest)}&from=${encodeURIComponent(from)}`;
    const scope = from === undefined ? this.scope('pull,push') : `${this.scope('pull,push')} repository:${from}:pull`;
    const begun = await this.#call({
      method: 'POST',
      path: `/v2/${this.#path}/blobs/uploads/${query}`,
      scope,
      headers: { 'content-length': '0' },
      signal,
    });
    if (begun.statusCode === 201) {
      await begun.body.dump();
      return 'mounted';
    }
    if (begun.statusCode !== 202) throw await failureOf(begun);
    await begun.body.dump();
    const location = new URL(headerOf(begun, 'location') ?? '', (await this.connect(signal)).url);
    location.searchParams.set('digest', digest);
    const done = await this.#call({
      method: 'PUT',
      path: location.href,
      scope,
      signal,
      headers: { 'content-type': 'application/octet-stream', 'content-length': String(size) },
      body: open,
    });
    if (done.statusCode !== 201 && done.statusCode !== 204) throw await failureOf(done);
    await done.body.dump();
    return 'uploaded';
  }

  async putManifest(reference: string, mediaType: string, bytes: Buffer, signal: AbortSignal): Promise<void> {
    const response = await this.#call({
      method: 'PUT',
      path: `/v2/${this.#path}/manifests/${reference}`,
      scope: this.scope('pull,push'),
      headers: { 'content-type': mediaType },
      body: () => bytes,
      signal,
    });
    if (response.statusCode >= 300) throw await failureOf(response);
    await response.body.dump();
  }

  async tags(signal: AbortSignal): Promise<string[]> {
    const found: string[] = [];
    for (let path: string | undefined = `/v2/${this.#path}/tags/list`; path !== undefined; ) {
      const response: Dispatcher.ResponseData = await this.#call({
        method: 'GET',
        path,
        scope: this.scope('pull'),
        signal,
      });
      if (response.statusCode !== 200) throw await failureOf(response);
      const { tags } = z.object({ tags: z.array(z.string()).nullish() }).parse(await response.body.json());
      found.push(...(tags ?? []));
      const next = /<([^>]+)>;\s*rel="?next/.exec(headerOf(response, 'link') ?? '');
      path = next?.[1];
    }
    return found;
  }

  /** Any JSON of the registry (catalogue, search). */
  async json(path: string, scope: string, signal: AbortSignal): Promise<{ status: number; body: unknown }> {
    const response = await this.#call({ method: 'GET', path, scope, signal });
    const text = await response.body.text();
    try {
      return { status: response.statusCode, body: JSON.parse(text) };
    } catch {
      return { status: response.statusCode, body: undefined };
    }
  }

  /** Proves credentials at `/v2/`. */
  async ping(signal: AbortSignal): Promise<void> {
    const response = await this.#call({ method: 'GET', path: '/v2/', scope: '', signal });
    await response.body.dump();
    if (response.statusCode === 401 || response.statusCode === 403)
      throw unauthorized('unauthorized: incorrect username or password');
    if (response.statusCode !== 200) throw unavailable(`login attempt failed with status: ${response.statusCode}`);
  }
}

export function headerOf(response: Dispatcher.ResponseData, name: string): string | undefined {
  const value = response.headers[name];
  return Array.isArray(value) ? value[0] : value;
}

async function failureOf(response: Dispatcher.ResponseData): Promise<EngineError> {
  const text = await response.body.text().catch(() => '');
  let message = '';
  try {
    const first = ErrorBody.parse(JSON.parse(text)).errors?.[0];
    message =
      first === undefined
        ? ''
        : `${(first.code ?? '').toLowerCase().replaceAll('_', ' ')}: ${first.message ?? ''}`
            .replace(/^manifest unknown: .*/, 'manifest unknown: manifest unknown')
            .replace(/^([^:]+): \1$/, '$1');
  } catch {
    message = '';
  }
  if (response.statusCode === 401 || response.statusCode === 403)
    return unauthorized(message || 'unauthorized: authentication required');
  if (response.statusCode === 404) return notFound(message || 'not found');
  if (response.statusCode >= 500)
    return unavailable(message || `received unexpected HTTP status: ${response.statusCode}`);
  return invalid(message || `received unexpected HTTP status: ${response.statusCode}`);
}

/** Go's words for what a dial or TLS failure is, which users know. */
function describe(error: unknown): string {
  const { code, cause } = error as NodeJS.ErrnoException & { cause?: unknown };
  const inner = (cause ?? error) as NodeJS.ErrnoException & { address?: string; port?: number; hostname?: string };
  const where = inner.address === undefined ? '' : ` ${inner.address}:${inner.port}`;
  if (inner.code === 'ECONNREFUSED' || code === 'ECONNREFUSED') return `dial tcp${where}: connect: connection refused`;
  if (inner.code === 'ENOTFOUND') return `dial tcp: lookup ${inner.hostname}: no such host`;
  return messageOf(inner);
}

const backoff = (attempt: number) => Math.min(5000, 200 * 2 ** attempt) * (0.5 + Math.random() / 2);

const pause = (ms: number, signal: AbortSignal) =>
  new Promise<void>((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
