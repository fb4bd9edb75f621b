import type { PassThrough } from 'node:stream';
import { type Compression, decompress, detectCompression, gzip } from '../archive/index.ts';
import { invalid } from '../common/index.ts';
import type { ContentStore, Ingest } from '../content/index.ts';
import type { Descriptor } from '../wire/index.ts';
import type { Keep } from './keeping.ts';
import { DOCKER, isOciType, layerTypeByHead, OCI, ociLayerType } from './media-types.ts';
import { counted, teed } from './tee.ts';

const HEAD_BYTES = 8;
/** zlib's: a third faster than its default for a few per cent more bytes. */
const PUSH_LEVEL = 4;

export interface StoredBlob {
  digest: string;
  size: number;
}

/** Streams bytes into content; the caller commits them. */
export async function written(
  content: ContentStore,
  source: AsyncIterable<Uint8Array>,
  keep: Keep,
  signal?: AbortSignal,
): Promise<Ingest> {
  const writer = await content.ingest(keep.content);
  try {
    for await (const chunk of source) {
      signal?.throwIfAborted();
      await writer.write(chunk);
    }
    return writer;
  } catch (error) {
    await writer.discard();
    throw error;
  }
}

/** Streams bytes into content and keeps them. */
export const ingest = async (...given: Parameters<typeof written>): Promise<StoredBlob> =>
  (await written(...given)).commit();

/** A small document into content, kept. */
export const store = (content: ContentStore, bytes: Buffer, keep: Keep): Promise<StoredBlob> =>
  content.put(bytes, keep.content);

async function headOf(content: ContentStore, digest: string): Promise<Buffer> {
  const stream = await content.open(digest);
  for await (const chunk of stream) return (chunk as Buffer).subarray(0, HEAD_BYTES);
  return Buffer.alloc(0);
}

/** The blob as a layer: what no manifest can name (xz, bzip2) is unpacked into a plain tar. */
export async function asLayer(
  content: ContentStore,
  blob: StoredBlob,
  keep: Keep,
  signal: AbortSignal,
): Promise<Descriptor> {
  const mediaType = layerTypeByHead(await headOf(content, blob.digest));
  if (mediaType !== undefined) return { ...blob, mediaType };
  const { stream } = await decompress(await content.open(blob.digest), { signal });
  const plain = await ingest(content, stream, keep, signal);
  return { ...plain, mediaType: DOCKER.layer };
}

export interface Packing {
  keep: Keep;
  signal: AbortSignal;
  /** Gets the packed bytes as they are made. */
  sink: PassThrough;
  /** Plain bytes packed so far. */
  onProgress: (bytes: number) => void;
}

/** The layer's blob in gzip, for a registry: nobody wants to fetch plain ones. */
export async function gzipped(
  content: ContentStore,
  digest: string,
  { keep, signal, sink, onProgress }: Packing,
): Promise<Descriptor> {
  const source = await content.open(digest);
  try {
    const packed = gzip(counted(source, onProgress), { level: PUSH_LEVEL });
    const blob = await ingest(content, teed(packed, sink), keep, signal);
    return { ...blob, mediaType: DOCKER.layerGzip };
  } finally {
    source.destroy();
  }
}

export const compressionOf = async (content: ContentStore, digest: string): Promise<Compression> =>
  detectCompression(await headOf(content, digest));

/** A schema 2 manifest, or OCI's where a layer has only an OCI type. The same input gives the same bytes. */
export function manifestBytes(config: StoredBlob, layers: readonly Descriptor[]): Buffer {
  const oci = layers.some(({ mediaType }) => isOciType(mediaType));
  return oci
    ? ociManifestBytes(config, layers)
    : documentOf(
        DOCKER.manifest,
        { mediaType: DOCKER.config, size: config.size, digest: config.digest },
        layers.map(bare),
      );
}

export function ociManifestBytes({ digest, size }: StoredBlob, layers: readonly Descriptor[]): Buffer {
  const converted = layers.map((layer) => ({ ...bare(layer), mediaType: ociLayerType(layer.mediaType) }));
  return documentOf(OCI.manifest, { mediaType: OCI.config, size, digest }, converted);
}

const bare = ({ mediaType, size, digest }: Descriptor) => ({ mediaType, size, digest });
const documentOf = (mediaType: string, config: Descriptor, layers: readonly Descriptor[]): Buffer =>
  Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, config, layers }));

/** Throws if the manifest's bytes are not those of its digest's blob. */
export function checkSize(what: string, actual: number, expected: number): void {
  if (actual !== expected) throw invalid(`${what} has ${actual} bytes where ${expected} were expected`);
}
