import { posix } from 'node:path';
import type { Readable } from 'node:stream';
import { z } from 'zod';
import { decompress, readTar, textOf } from '../archive/index.ts';
import { invalid, messageOf, shortId } from '../common/index.ts';
import type { ContentStore, Lease } from '../content/index.ts';
import type { LayerStore } from '../layers/index.ts';
import { familiarString, parseReference, withDefaultTag } from '../registry/index.ts';
import { type Descriptor, ImageConfig, Index, Manifest, type Progress } from '../wire/index.ts';
import { headOf, ingest, layerMediaType, manifestBytes } from './blobs.ts';
import { chainIds } from './book.ts';
import { DOCKER, isIndex } from './media-types.ts';

/** docker-archive's `manifest.json` (moby image/tarexport). */
const ArchiveManifest = z.array(z.object({ Config: z.string(), RepoTags: z.array(z.string()).nullish(), Layers: z.array(z.string()) }));

const MAX_FILES = 100_000;

export interface LoadParts {
  content: ContentStore;
  layers: LayerStore;
  lease: Lease;
  /** Records an image that is whole; tags move from other images. */
  record: (configDigest: string, manifestDigest: string, tags: string[]) => Promise<void>;
}

/** Files of the archive by clean path: blobs in content, and links to other files. */
interface Archive {
  blobs: Map<string, { digest: string; size: number }>;
  links: Map<string, string>;
}

const clean = (path: string) => posix.normalize(path).replace(/^\.?\/+/, '');

async function readArchive(source: Readable, parts: LoadParts, signal: AbortSignal): Promise<Archive> {
  const { stream } = await decompress(source, { signal });
  const archive: Archive = { blobs: new Map(), links: new Map() };
  for await (const { header, body } of readTar(stream)) {
    if (archive.blobs.size + archive.links.size > MAX_FILES) throw invalid('archive holds too many files');
    const name = clean(textOf(header.name));
    if (header.type === 'file') archive.blobs.set(name, await ingest(parts.content, body, parts.lease, signal));
    else if (header.type === 'symlink') archive.links.set(name, clean(posix.join(posix.dirname(name), textOf(header.linkName ?? ''))));
    else if (header.type === 'hardlink') archive.links.set(name, clean(textOf(header.linkName ?? '')));
  }
  return archive;
}

function blobAt(archive: Archive, path: string): { digest: string; size: number } {
  let name = clean(path);
  for (let hops = 0; archive.links.has(name) && hops < 16; hops++) name = archive.links.get(name)!;
  const found = archive.blobs.get(name);
  if (found === undefined) throw invalid(`archive is incomplete: ${path} is missing`);
  return found;
}

async function parseBlob<S extends z.ZodType>(content: ContentStore, digest: string, schema: S, what: string): Promise<z.output<S>> {
  const bytes = await content.read(digest);
  try {
    return schema.parse(JSON.parse(bytes.toString()));
  } catch (error) {
    throw invalid(`${what} is not valid: ${error instanceof z.ZodError ? (error.issues[0]?.message ?? '') : messageOf(error)}`);
  }
}

/** Reads docker-archive (old and new) and OCI layout archives; messages in Docker's words. */
export async function loadArchive(source: Readable, options: { progress: Progress; signal: AbortSignal }, parts: LoadParts): Promise<void> {
  const archive = await readArchive(source, parts, options.signal);
  if (archive.blobs.has('manifest.json')) {
    const list = await parseBlob(parts.content, blobAt(archive, 'manifest.json').digest, ArchiveManifest, 'manifest.json');
    for (const { Config, RepoTags, Layers } of list) {
      const layers = await Promise.all(
        Layers.map(async (path): Promise<Descriptor> => {
          const blob = blobAt(archive, path);
          return { ...blob, mediaType: layerMediaType(await headOf(parts.content, blob.digest)) };
        }),
      );
      await loadImage(blobAt(archive, Config), layers, RepoTags ?? [], undefined, options, parts);
    }
    if (list.length === 0) throw invalid('archive holds no image');
    return;
  }
  if (!archive.blobs.has('index.json')) throw invalid('unrecognized image format: neither manifest.json nor index.json is in the archive');
  await loadIndex(archive, await parseBlob(parts.content, blobAt(archive, 'index.json').digest, Index, 'index.json'), options, parts);
}

const blobPath = (digest: string) => `blobs/${digest.replace(':', '/')}`;

async function loadIndex(archive: Archive, index: z.infer<typeof Index>, options: { progress: Progress; signal: AbortSignal }, parts: LoadParts): Promise<void> {
  for (const descriptor of index.manifests) {
    const name = descriptor.annotations?.['io.containerd.image.name'] ?? descriptor.annotations?.['org.opencontainers.image.ref.name'];
    if (descriptor.annotations?.['vnd.docker.reference.type'] === 'attestation-manifest') continue;
    const blob = blobAt(archive, blobPath(descriptor.digest));
    if (blob.digest !== descriptor.digest) throw invalid(`${blobPath(descriptor.digest)} does not match its digest`);
    if (isIndex(descriptor.mediaType)) {
      const inner = await parseBlob(parts.content, blob.digest, Index, 'image index');
      await loadIndex(archive, { ...inner, manifests: inner.manifests.map((manifest) => ({ ...manifest, annotations: { ...descriptor.annotations, ...manifest.annotations } })) }, options, parts);
      continue;
    }
    const manifest = await parseBlob(parts.content, blob.digest, Manifest, 'image manifest');
    const config = blobAt(archive, blobPath(manifest.config.digest));
    const layers = manifest.layers.map((layer) => {
      const stored = blobAt(archive, blobPath(layer.digest));
      if (stored.digest !== layer.digest) throw invalid(`layer ${layer.digest} does not match its digest`);
      return layer;
    });
    const tags = name === undefined || !/[:/]/.test(name) ? [] : [name];
    await loadImage(config, layers, tags, blob.digest, options, parts);
  }
}

async function loadImage(
  configBlob: { digest: string; size: number },
  layers: readonly Descriptor[],
  tags: readonly string[],
  manifestDigest: string | undefined,
  { progress, signal }: { progress: Progress; signal: AbortSignal },
  parts: LoadParts,
): Promise<void> {
  const config = await parseBlob(parts.content, configBlob.digest, ImageConfig, 'image configuration');
  const diffIds = config.rootfs.diff_ids ?? [];
  if (diffIds.length !== layers.length) throw invalid(`invalid manifest, layers length mismatch: expected ${diffIds.length}, got ${layers.length}`);
  const chains = chainIds(diffIds);
  for (const [index, layer] of layers.entries()) {
    const id = shortId(diffIds[index]!);
    if (parts.layers.get(chains[index]!) !== undefined) continue;
    progress({ status: 'Loading layer', id, progressDetail: { current: 0, total: layer.size } });
    await parts.layers.unpack(() => parts.content.open(layer.digest), {
      parent: chains[index - 1],
      diffId: diffIds[index]!,
      signal,
      onProgress: (current) => progress({ status: 'Loading layer', id, progressDetail: { current, total: layer.size } }),
    });
    progress({ status: 'Loading layer', id, progressDetail: { current: layer.size, total: layer.size } });
  }
  let manifest = manifestDigest;
  if (manifest === undefined) {
    const made = await parts.content.put(manifestBytes({ ...configBlob, mediaType: DOCKER.config }, layers));
    parts.lease.add(made.digest);
    manifest = made.digest;
  }
  const names = tags.map((tag) => familiarString(withDefaultTag(parseReference(tag))));
  await parts.record(configBlob.digest, manifest, names);
  if (names.length === 0) progress({ stream: `Loaded image ID: ${configBlob.digest}\n` });
  for (const name of names) progress({ stream: `Loaded image: ${name}\n` });
}
