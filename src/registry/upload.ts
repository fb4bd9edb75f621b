import { PassThrough, pipeline, type Readable } from 'node:stream';
import { internal, isKind } from '../common/index.ts';
import { failureOf, RegistryError } from './failures.ts';
import { backoffMs, isTemporary, isTemporaryStatus, pause } from './retry.ts';
import type { Reply, Transport } from './types.ts';

export interface UploadSource {
  digest: string;
  size: number;
  /** The bytes from an offset on, up to `end` (exclusive). */
  open(start: number, end: number): Promise<Readable>;
  /** Bytes that the registry has been sent. */
  onProgress?(sent: number): void;
}

export interface UploadOptions {
  transport: Transport;
  /** `https://host/v2/REPO` */
  base: string;
  scopes: readonly string[];
  attempts: number;
  signal: AbortSignal;
}

/** A blob up to this size goes in one request. */
const MONOLITHIC_BYTES = 512 * 1024;
/** When a registry (or a proxy before it) takes no large requests. */
const CHUNK_BYTES = 8 * 1024 * 1024;
/** Like moby's push_v2.go: more repositories are not asked for one blob. */
const MAX_MOUNTS = 4;

/** Where an upload goes on; registries give a new one with each answer. */
const locationOf = (reply: Reply): string => {
  const location = reply.header('location');
  if (location === undefined) throw internal('registry gave no upload location');
  return new URL(location, reply.url).href;
};

const withDigest = (location: string, digest: string): string => {
  const url = new URL(location);
  url.searchParams.set('digest', digest);
  return url.href;
};

/** Asks another repository of the registry for the blob. The repository that gave it, or undefined. */
export async function mountBlob(
  digest: string,
  repositories: readonly string[],
  options: UploadOptions,
): Promise<string | undefined> {
  const { transport, base, scopes, signal } = options;
  for (const from of repositories.slice(0, MAX_MOUNTS)) {
    const query = new URLSearchParams({ mount: digest, from });
    const url = `${base}/blobs/uploads/?${query}`;
    const reply = await transport({
      method: 'POST',
      url,
      scopes: [...scopes, `repository:${from}:pull`],
      headers: { 'content-length': '0' },
      signal,
    });
    await reply.body.dump();
    if (reply.status === 201) return from;
    // It began an upload instead, which is not wanted.
    if (reply.status === 202) await cancel(locationOf(reply), options);
  }
  return undefined;
}

async function cancel(location: string, { transport, scopes, signal }: UploadOptions): Promise<void> {
  try {
    const reply = await transport({ method: 'DELETE', url: location, scopes, signal });
    await reply.body.dump();
  } catch (error) {
    if (signal.aborted) throw error;
    // The registry forgets it by itself.
  }
}

/** How far an upload has come. */
export interface UploadState {
  location: string;
  offset: number;
}

/**
 * Sends bytes while they are made, before their digest and number are known; `uploadBlob` goes on from where that came, and ends it.
 * undefined if nothing of it is there. Destroys the stream, also if the registry does not take all of it.
 */
export async function streamBlob(body: Readable, options: UploadOptions): Promise<UploadState | undefined> {
  const { transport, scopes, signal } = options;
  try {
    const location = await begin(options);
    try {
      const headers = { 'content-type': 'application/octet-stream' };
      const reply = await transport({ method: 'PATCH', url: location, scopes, headers, body: onlyOnce(body), signal });
      if (reply.status < 300) {
        await reply.body.dump();
        const offset = offsetOf(reply);
        if (offset !== undefined) return { location: locationOf(reply), offset };
      } else await reply.body.dump();
    } catch (error) {
      if (signal.aborted) throw error;
      // Whatever it was: the blob is whole on disk soon, and can be sent again.
    }
    return await stateOf(location, options);
  } finally {
    body.destroy();
  }
}

const onlyOnce = (body: Readable) => {
  let given = false;
  return () => {
    if (given) throw internal('a stream cannot be sent twice');
    given = true;
    return body;
  };
};

/** Uploads a blob; what broke off goes on where the registry says that it is (distribution-spec, "Pushing blobs"). */
export async function uploadBlob(source: UploadSource, options: UploadOptions, begun?: UploadState): Promise<void> {
  if (begun === undefined && source.size <= MONOLITHIC_BYTES) return await uploadWhole(source, options);
  let { location, offset } = begun ?? { location: await begin(options), offset: 0 };
  let most = source.size;
  for (let failures = 0; offset < source.size; ) {
    const end = Math.min(source.size, offset + most);
    const sent = await sendPart(source, location, offset, end, options);
    if (sent.kind === 'sent') {
      ({ location } = sent);
      offset = end;
      failures = 0;
      continue;
    }
    if (sent.kind === 'too-large' && most > CHUNK_BYTES) most = CHUNK_BYTES;
    else if (sent.kind !== 'broken' || ++failures >= options.attempts) throw sent.error;
    else await pause(backoffMs(failures), options.signal);
    const state = await stateOf(location, options);
    if (state === undefined) {
      location = await begin(options);
      offset = 0;
    } else ({ location, offset } = state);
  }
  await finish(location, source, options);
}

async function begin({ transport, base, scopes, signal }: UploadOptions): Promise<string> {
  const reply = await transport({
    method: 'POST',
    url: `${base}/blobs/uploads/`,
    scopes,
    headers: { 'content-length': '0' },
    signal,
  });
  if (reply.status !== 202) throw await failureOf(reply);
  await reply.body.dump();
  return locationOf(reply);
}

async function uploadWhole(source: UploadSource, options: UploadOptions): Promise<void> {
  const { transport, scopes, signal } = options;
  for (let failures = 1; ; failures++) {
    const url = withDigest(await begin(options), source.digest);
    const headers = { 'content-type': 'application/octet-stream', 'content-length': String(source.size) };
    const body = source.size === 0 ? () => Buffer.alloc(0) : () => source.open(0, source.size);
    const reply = await transport({ method: 'PUT', url, scopes, headers, body, signal });
    if (reply.status === 201 || reply.status === 204) {
      await reply.body.dump();
      source.onProgress?.(source.size);
      return;
    }
    const error = await failureOf(reply);
    // The upload that this one PUT was for is gone with it: the next try begins anew.
    if (failures >= options.attempts || !(isTemporaryStatus(error.status) || error.code === 'BLOB_UPLOAD_UNKNOWN'))
      throw error;
    await pause(backoffMs(failures), signal);
  }
}

type Sent = { kind: 'sent'; location: string } | { kind: 'too-large' | 'broken' | 'refused'; error: unknown };

async function sendPart(
  source: UploadSource,
  location: string,
  start: number,
  end: number,
  { transport, scopes, signal }: UploadOptions,
): Promise<Sent> {
  const whole = start === 0 && end === source.size;
  const headers: Record<string, string> = {
    'content-type': 'application/octet-stream',
    'content-length': String(end - start),
  };
  // A stream in one go needs no range; registries before distribution 3 do not look at it either.
  if (!whole) headers['content-range'] = `${start}-${end - 1}`;
  try {
    const reply = await transport({
      method: 'PATCH',
      url: location,
      scopes,
      headers,
      body: () => counted(source, start, end),
      signal,
    });
    if (reply.status === 202 || reply.status === 201 || reply.status === 204) {
      await reply.body.dump();
      return { kind: 'sent', location: locationOf(reply) };
    }
    const error = await failureOf(reply);
    if (error.status === 413) return { kind: 'too-large', error };
    return { kind: isTemporaryStatus(error.status) || error.status === 416 ? 'broken' : 'refused', error };
  } catch (error) {
    if (signal.aborted) throw error;
    return { kind: isTemporary(error) ? 'broken' : 'refused', error };
  }
}

async function counted(source: UploadSource, start: number, end: number): Promise<Readable> {
  const stream = await source.open(start, end);
  let sent = start;
  const { onProgress } = source;
  if (onProgress === undefined) return stream;
  const counter = new PassThrough({ highWaterMark: 256 * 1024 });
  counter.on('data', (chunk: Buffer) => {
    sent += chunk.length;
    onProgress(sent);
  });
  counter.pause();
  pipeline(stream, counter, () => {});
  return counter;
}

/** How far the registry has come, or undefined if it has forgotten the upload. */
async function stateOf(
  location: string,
  { transport, scopes, signal }: UploadOptions,
): Promise<UploadState | undefined> {
  const reply = await transport({ method: 'GET', url: location, scopes, signal });
  await reply.body.dump();
  if (reply.status !== 204 && reply.status !== 202) return undefined;
  const offset = offsetOf(reply);
  return offset === undefined
    ? undefined
    : { location: reply.header('location') === undefined ? location : locationOf(reply), offset };
}

/** Bytes that the registry has, or undefined if it does not say. `0-0` is both nothing and one byte: begin anew. */
function offsetOf(reply: Reply): number | undefined {
  const last = Number(/^(?:bytes=)?0-(\d+)$/.exec(reply.header('range') ?? '')?.[1] ?? 0);
  return last === 0 ? undefined : last + 1;
}

async function finish(
  location: string,
  { digest }: UploadSource,
  { transport, scopes, signal }: UploadOptions,
): Promise<void> {
  const reply = await transport({
    method: 'PUT',
    url: withDigest(location, digest),
    scopes,
    headers: { 'content-length': '0' },
    signal,
  });
  if (reply.status !== 201 && reply.status !== 204) throw await failureOf(reply);
  await reply.body.dump();
}

export const isRefused = (error: unknown): boolean =>
  isKind(error, 'forbidden') ||
  isKind(error, 'unauthorized') ||
  (error instanceof RegistryError && error.status === 404);
