import { detectCompression } from '../archive/index.ts';
import type { ContentStore, Lease } from '../content/index.ts';
import type { Descriptor } from '../wire/index.ts';
import { DOCKER, OCI } from './media-types.ts';

/** Streams bytes into content; leased at once, so that no collection takes them. */
export async function ingest(content: ContentStore, source: AsyncIterable<Uint8Array>, lease: Lease, signal?: AbortSignal): Promise<{ digest: string; size: number; head: Buffer }> {
  const writer = await content.ingest();
  let head = Buffer.alloc(0);
  try {
    for await (const chunk of source) {
      signal?.throwIfAborted();
      if (head.length < 8) head = Buffer.concat([head, chunk.subarray(0, 8)]);
      await writer.write(chunk);
    }
    const written = await writer.commit();
    lease.add(written.digest);
    return { ...written, head };
  } catch (error) {
    await writer.discard();
    throw error;
  }
}

/** A layer's media type by what it holds: gzip has a schema 2 name, zstd only OCI's. */
export function layerMediaType(head: Buffer): string {
  const compression = detectCompression(head);
  if (compression === 'gzip') return DOCKER.layerGzip;
  return compression === 'zstd' ? OCI.layerZstd : DOCKER.layer;
}

/** The first bytes of a blob. */
export async function headOf(content: ContentStore, digest: string): Promise<Buffer> {
  for await (const chunk of await content.open(digest)) return (chunk as Buffer).subarray(0, 8);
  return Buffer.alloc(0);
}

/** A schema 2 manifest, or OCI's where a layer has only an OCI type. Deterministic. */
export function manifestBytes(config: Descriptor, layers: readonly Descriptor[]): Buffer {
  const oci = layers.some(({ mediaType }) => mediaType.startsWith('application/vnd.oci.'));
  const strip = ({ mediaType, size, digest }: Descriptor) => ({ mediaType, size, digest });
  const ociType = (type: string) => (type === DOCKER.layer ? OCI.layer : type === DOCKER.layerGzip ? OCI.layerGzip : type);
  return Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: oci ? OCI.manifest : DOCKER.manifest,
      config: { ...strip(config), mediaType: oci ? OCI.config : DOCKER.config },
      layers: layers.map((layer) => (oci ? { ...strip(layer), mediaType: ociType(layer.mediaType) } : strip(layer))),
    }),
  );
}
