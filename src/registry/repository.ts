import type { Readable } from 'node:stream';
import { z } from 'zod';
import { invalid } from '../common/index.ts';
import { failureOf, networkError } from './failures.ts';
import { MAX_MANIFEST, readHead, readManifest } from './manifests.ts';
import { MANIFEST_TYPES } from './media-types.ts';
import type { Call, Endpoint, RemoteManifest, Reply, Transport } from './types.ts';
import {
  mountBlob,
  streamBlob,
  type UploadOptions,
  type UploadSource,
  type UploadState,
  uploadBlob,
} from './upload.ts';

const TagList = z.object({ tags: z.array(z.string()).nullish() });
const MAX_TAG_PAGES = 1000;

export interface BlobBody {
  stream: AsyncIterable<Buffer>;
  /** Where the stream begins: what was asked for, or 0 from a registry that knows no ranges. */
  offset: number;
}

/** One repository of one registry, over one endpoint. */
export class Repository {
  readonly endpoint: Endpoint;
  readonly path: string;
  readonly #transport: Transport;
  readonly #attempts: number;

  constructor(endpoint: Endpoint, path: string, transport: Transport, attempts: number) {
    this.endpoint = endpoint;
    this.path = path;
    this.#transport = transport;
    this.#attempts = attempts;
  }

  get #base(): string {
    return `${this.endpoint.url}/v2/${this.path}`;
  }
  #scope(actions: 'pull' | 'pull,push'): string[] {
    return [`repository:${this.path}:${actions}`];
  }
  #pull(call: Pick<Call, 'method' | 'url' | 'headers' | 'signal'>): Promise<Reply> {
    return this.#transport({ ...call, scopes: this.#scope('pull') });
  }

  /** Digest, type and size of a tag or digest, or undefined if the registry does not say without sending it all. */
  async head(
    reference: string,
    signal: AbortSignal,
  ): Promise<{ digest: string; mediaType: string; size: number } | undefined> {
    const url = `${this.#base}/manifests/${reference}`;
    return await readHead(
      await this.#pull({ method: 'HEAD', url, headers: { accept: MANIFEST_TYPES.join(', ') }, signal }),
    );
  }

  /** By tag or digest; verified. Throws RegistryError, invalid for what is too large, of a wrong type or digest. */
  async manifest(reference: string, signal: AbortSignal): Promise<RemoteManifest> {
    const url = `${this.#base}/manifests/${reference}`;
    const reply = await this.#pull({ method: 'GET', url, headers: { accept: MANIFEST_TYPES.join(', ') }, signal });
    return await readManifest(reply, reference);
  }

  async putManifest(
    reference: string,
    { bytes, mediaType }: Pick<RemoteManifest, 'bytes' | 'mediaType'>,
    signal: AbortSignal,
  ): Promise<void> {
    if (bytes.length > MAX_MANIFEST)
      throw invalid(`manifest of ${bytes.length} bytes is larger than the ${MAX_MANIFEST} bytes allowed`);
    const headers = { 'content-type': mediaType, 'content-length': String(bytes.length) };
    const url = `${this.#base}/manifests/${reference}`;
    const reply = await this.#transport({
      method: 'PUT',
      url,
      headers,
      body: () => bytes,
      scopes: this.#scope('pull,push'),
      signal,
    });
    if (reply.status !== 201 && reply.status !== 200 && reply.status !== 202) throw await failureOf(reply);
    await reply.body.dump();
  }

  /** The blob from `offset` on. The caller verifies it. */
  async blob(digest: string, offset: number, signal: AbortSignal): Promise<BlobBody> {
    const call: Call = {
      method: 'GET',
      url: `${this.#base}/blobs/${digest}`,
      headers: offset > 0 ? { range: `bytes=${offset}-` } : {},
      signal,
    };
    const reply = await this.#pull(call);
    if (reply.status === 416 && offset > 0) {
      await reply.body.dump();
      return await this.blob(digest, 0, signal);
    }
    if (reply.status !== 200 && reply.status !== 206) throw await failureOf(reply);
    const start = reply.status === 206 ? rangeStart(reply, offset) : 0;
    return { stream: named(reply, call), offset: start };
  }

  async hasBlob(digest: string, signal: AbortSignal): Promise<boolean> {
    const reply = await this.#transport({
      method: 'HEAD',
      url: `${this.#base}/blobs/${digest}`,
      scopes: this.#scope('pull,push'),
      signal,
    });
    await reply.body.dump();
    if (reply.status === 401 || reply.status === 403) throw await failureOf(reply);
    return reply.status === 200;
  }

  #uploads(signal: AbortSignal): UploadOptions {
    return {
      transport: this.#transport,
      base: this.#base,
      scopes: this.#scope('pull,push'),
      attempts: this.#attempts,
      signal,
    };
  }

  /** Takes the blob over from one of these repositories of the same registry; which one, or undefined. */
  mount(digest: string, repositories: readonly string[], signal: AbortSignal): Promise<string | undefined> {
    return mountBlob(digest, repositories, this.#uploads(signal));
  }

  /** Begins to upload a blob that is still being made; `upload` goes on from there. undefined: from the start. Destroys the stream. */
  stream(body: Readable, signal: AbortSignal): Promise<UploadState | undefined> {
    return streamBlob(body, this.#uploads(signal));
  }

  upload(source: UploadSource, signal: AbortSignal, begun?: UploadState): Promise<void> {
    return uploadBlob(source, this.#uploads(signal), begun);
  }

  async tags(signal: AbortSignal): Promise<string[]> {
    const found: string[] = [];
    let url: string | undefined = `${this.#base}/tags/list`;
    for (let page = 0; url !== undefined && page < MAX_TAG_PAGES; page++) {
      const reply: Reply = await this.#pull({ method: 'GET', url, signal });
      if (reply.status !== 200) throw await failureOf(reply);
      found.push(...(TagList.parse(JSON.parse(await reply.body.text())).tags ?? []));
      url = nextPage(reply);
    }
    return found;
  }
}

/** RFC 5988 `Link: <…>; rel="next"`. */
export function nextPage(reply: Reply): string | undefined {
  const next = /<([^>]+)>\s*;\s*rel="?next/.exec(reply.header('link') ?? '')?.[1];
  return next === undefined ? undefined : new URL(next, reply.url).href;
}

function rangeStart(reply: Reply, asked: number): number {
  const start = /^bytes (\d+)-/.exec(reply.header('content-range') ?? '')?.[1];
  return start === undefined ? asked : Number(start);
}

/** The body, with failures in Docker's words. */
async function* named(reply: Reply, call: Call): AsyncGenerator<Buffer> {
  try {
    yield* reply.body as AsyncIterable<Buffer>;
  } catch (error) {
    if (call.signal.aborted) throw error;
    throw networkError(call, error);
  } finally {
    reply.body.destroy();
  }
}
