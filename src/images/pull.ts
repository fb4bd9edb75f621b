import { type EngineError, invalid, isKind, notFound, shortId, unauthorized } from '../common/index.ts';
import type { ContentStore, Lease } from '../content/index.ts';
import type { LayerStore } from '../layers/index.ts';
import { familiarName, MAX_MANIFEST, type Reference, type RegistryClient, type RemoteManifest } from '../registry/index.ts';
import { createHash } from 'node:crypto';
import { type Descriptor, ImageConfig, Index, Manifest, type Platform, type Progress } from '../wire/index.ts';
import { chainIds, type StoredImage } from './book.ts';
import { DOCKER, isIndex, OCI } from './media-types.ts';

export interface PullParts {
  content: ContentStore;
  layers: LayerStore;
  client: RegistryClient;
  lease: Lease;
  platform: Platform;
  progress: Progress;
  signal: AbortSignal;
  /** At most so many downloads at a time, over all pulls. */
  limit: <T>(work: () => Promise<T>) => Promise<T>;
  /** Downloads of other pulls that are under way, by digest. */
  shared: Map<string, Promise<void>>;
}

const MANIFESTS = new Set<string>([OCI.manifest, DOCKER.manifest]);
const sha256 = (bytes: Uint8Array) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

/** A manifest whose bytes are what they are called. */
async function fetchManifest(reference: string, { client, signal }: PullParts): Promise<RemoteManifest> {
  const found = await client.manifest(reference, signal);
  const actual = sha256(found.bytes);
  if (reference.startsWith('sha256:') && actual !== reference) throw invalid(`manifest verification failed for digest ${reference}`);
  if (found.digest.startsWith('sha256:') && found.digest !== actual) throw invalid(`manifest verification failed for digest ${found.digest}`);
  return { ...found, digest: actual };
}

function parse<T>(schema: { parse(value: unknown): T }, bytes: Buffer, what: string): T {
  try {
    return schema.parse(JSON.parse(bytes.toString()));
  } catch {
    throw invalid(`${what} is not valid`);
  }
}

const fits = (wanted: Platform, offered: Platform | undefined) =>
  offered !== undefined && offered.os === wanted.os && offered.architecture === wanted.architecture && (wanted.variant === undefined || offered.variant === undefined || offered.variant === wanted.variant);

/** Fetches one tag or digest: manifest, configuration, layers; unpacks; returns what to record. */
export async function pullOne(reference: Reference, parts: PullParts): Promise<{ configDigest: string; manifestDigest: string; remoteDigest: string }> {
  const { content, lease, platform } = parts;
  const wanted = reference.digest ?? reference.tag ?? 'latest';
  let found: RemoteManifest;
  try {
    found = await fetchManifest(wanted, parts);
  } catch (error) {
    throw refusal(reference, wanted, error);
  }
  const remoteDigest = found.digest;
  if (isIndex(found.mediaType)) {
    const index = parse(Index, found.bytes, 'image index');
    const chosen = index.manifests.find((entry) => fits(platform, entry.platform) && (!isIndex(entry.mediaType)));
    if (chosen === undefined) throw notFound(`no matching manifest for ${platform.os}/${platform.architecture}${platform.variant === undefined ? '' : `/${platform.variant}`} in the manifest list entries`);
    lease.add((await content.put(found.bytes)).digest);
    found = await fetchManifest(chosen.digest, parts);
  }
  if (found.mediaType !== '' && !MANIFESTS.has(found.mediaType)) throw invalid(`unsupported media type ${found.mediaType}`);
  const manifest = parse(Manifest, found.bytes, 'image manifest');
  const stored = await content.put(found.bytes);
  lease.add(stored.digest);
  await fetchBlob(manifest.config, parts, undefined);
  const config = parse(ImageConfig, await content.read(manifest.config.digest, MAX_MANIFEST), 'image configuration');
  if (config.os !== platform.os || (config.architecture !== platform.architecture && reference.digest === undefined))
    throw notFound(`image with reference ${familiarName(reference)} was found but its platform (${config.os}/${config.architecture}) does not match the specified platform (${platform.os}/${platform.architecture})`);
  await fetchLayers(manifest, config, parts);
  return { configDigest: manifest.config.digest, manifestDigest: stored.digest, remoteDigest };
}

function refusal(reference: Reference, wanted: string, error: unknown): EngineError | unknown {
  const name = familiarName(reference);
  if (isKind(error, 'unauthorized')) {
    const detail = (error as EngineError).message;
    return unauthorizedPull(name, detail);
  }
  if (isKind(error, 'not-found')) {
    const detail = (error as EngineError).message;
    if (/name unknown|repository name not known/.test(detail)) return notFound(`pull access denied for ${name}, repository does not exist or may require 'docker login'`);
    return notFound(`manifest for ${name}${wanted.startsWith('sha256:') ? '@' : ':'}${wanted} not found: ${detail}`);
  }
  return error;
}

const unauthorizedPull = (name: string, detail: string) =>
  /incorrect/.test(detail) ? unauthorized(detail) : notFound(`pull access denied for ${name}, repository does not exist or may require 'docker login': denied: requested access to the resource is denied`);

async function fetchLayers(manifest: Manifest, config: ImageConfig, parts: PullParts): Promise<void> {
  const { progress, layers, content, signal } = parts;
  const diffIds = config.rootfs.diff_ids ?? [];
  if (diffIds.length !== manifest.layers.length) throw invalid('layers from manifest don\'t match image configuration');
  const chains = chainIds(diffIds);
  // One that fails ends the others.
  const failure = new AbortController();
  const inner: PullParts = { ...parts, signal: AbortSignal.any([signal, failure.signal]) };
  const downloads = manifest.layers.map((layer, index) => {
    const id = shortId(layer.digest);
    if (layers.get(chains[index]!) !== undefined) return content.has(layer.digest).then((there) => (there ? progress({ status: 'Already exists', id, progressDetail: {} }) : fetchBlob(layer, inner, id)));
    progress({ status: 'Pulling fs layer', id, progressDetail: {} });
    return fetchBlob(layer, inner, id);
  });
  for (const download of downloads) download.catch(() => {});
  try {
    for (const [index, layer] of manifest.layers.entries()) {
      await downloads[index];
      const id = shortId(layer.digest);
      if (layers.get(chains[index]!) !== undefined) continue;
      await layers.unpack(() => content.open(layer.digest), {
        parent: chains[index - 1],
        diffId: diffIds[index]!,
        signal: inner.signal,
        onProgress: throttled((current) => progress({ status: 'Extracting', id, progressDetail: { current, total: layer.size } })),
      });
      progress({ status: 'Pull complete', id, progressDetail: {} });
    }
  } catch (error) {
    failure.abort(error);
    await Promise.allSettled(downloads);
    throw error;
  }
}

function throttled(report: (current: number) => void): (current: number) => void {
  let last = 0;
  return (current) => {
    const now = Date.now();
    if (now - last < 100) return;
    last = now;
    report(current);
  };
}

/** Brings a blob into content, once for all pulls that want it, resumed where a broken try left off. `id` undefined: no progress. */
async function fetchBlob(descriptor: Descriptor, parts: PullParts, id: string | undefined): Promise<void> {
  const { content, lease, shared, progress } = parts;
  lease.add(descriptor.digest);
  if (await content.has(descriptor.digest)) {
    if (id !== undefined) progress({ status: 'Download complete', id, progressDetail: {} });
    return;
  }
  const running = shared.get(descriptor.digest);
  if (running !== undefined) {
    // The other pull may be cancelled; then this one fetches for itself.
    await running.catch(() => {});
    if (await content.has(descriptor.digest)) return;
  }
  const work = parts.limit(() => download(descriptor, parts, id)).finally(() => shared.delete(descriptor.digest));
  shared.set(descriptor.digest, work);
  await work;
  if (id !== undefined) progress({ status: 'Download complete', id, progressDetail: {} });
}

const TRIES = 5;

async function download(descriptor: Descriptor, parts: PullParts, id: string | undefined): Promise<void> {
  const { content, client, progress, signal } = parts;
  for (let attempt = 1; ; attempt++) {
    const writer = await content.ingest({ ref: descriptor.digest });
    let offset = writer.offset;
    let finished = false;
    try {
      if (offset < descriptor.size || descriptor.size === 0) {
        const blob = await client.blob(descriptor.digest, offset, signal);
        if (blob.offset !== offset) {
          // The registry knows no ranges: from the beginning.
          await writer.discard();
          finished = true;
          await fromStart(descriptor, parts, id, blob.stream);
          return;
        }
        const report = throttled((current) => id !== undefined && progress({ status: 'Downloading', id, progressDetail: { current, total: descriptor.size } }));
        for await (const chunk of blob.stream) {
          signal.throwIfAborted();
          offset += chunk.length;
          if (offset > descriptor.size) throw invalid(`${descriptor.digest}: more bytes than the manifest says`);
          await writer.write(chunk);
          report(offset);
        }
      }
      if (id !== undefined) progress({ status: 'Verifying Checksum', id, progressDetail: {} });
      finished = true;
      await writer.commit({ digest: descriptor.digest, size: descriptor.size });
      return;
    } catch (error) {
      if (isKind(error, 'invalid') && !finished) await writer.discard();
      else if (!finished) await writer.close();
      if (signal.aborted || attempt >= TRIES || isKind(error, 'not-found') || isKind(error, 'unauthorized') || (isKind(error, 'invalid') && attempt > 1)) throw error;
    }
  }
}

async function fromStart(descriptor: Descriptor, { content, signal }: PullParts, _id: string | undefined, stream: AsyncIterable<Buffer>): Promise<void> {
  const writer = await content.ingest();
  try {
    for await (const chunk of stream) {
      signal.throwIfAborted();
      await writer.write(chunk);
    }
    await writer.commit({ digest: descriptor.digest, size: descriptor.size });
  } catch (error) {
    await writer.discard();
    throw error;
  }
}

/** The last words of a pull. */
export function pullStatus(before: StoredImage | undefined, configDigest: string, name: string): string {
  return before?.id === configDigest ? `Status: Image is up to date for ${name}` : `Status: Downloaded newer image for ${name}`;
}
