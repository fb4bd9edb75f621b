import { posix } from 'node:path';
import type { Readable } from 'node:stream';
import { z } from 'zod';
import { decompress, readTar, textOf } from '../archive/index.ts';
import { invalid, messageOf, notFound, shortId } from '../common/index.ts';
import type { ContentStore } from '../content/index.ts';
import type { LayerStore } from '../layers/index.ts';
import { familiarString, MAX_MANIFEST, parseReference, withDefaultTag } from '../registry/index.ts';
import { type Descriptor, ImageConfig, Index, Manifest, type Platform, type Progress } from '../wire/index.ts';
import { asLayer, checkSize, ingest, manifestBytes, type StoredBlob, store } from './blobs.ts';
import { chainIds } from './book.ts';
import type { Keep } from './keeping.ts';
import { isConfigType, isIndex, isLayerType } from './media-types.ts';
import { choose, fits, isRunnable, platformText } from './platform.ts';
import { bar, barLine } from './progress.ts';
import { parseDocument } from './remote-image.ts';

/** docker-archive's `manifest.json` (moby image/tarexport). */
const ArchiveManifest = z.array(
  z.object({ Config: z.string(), RepoTags: z.array(z.string()).nullish(), Layers: z.array(z.string()).nullish() }),
);

const MAX_FILES = 100_000;
const MAX_LINKS = 16;

export interface LoadParts {
  content: ContentStore;
  layers: LayerStore;
  keep: Keep;
  /** undefined: whatever the archive holds; of an index of several platforms the machine's own. */
  platform: Platform | undefined;
  ownPlatform: Platform;
  progress: Progress;
  signal: AbortSignal;
  /** Records an image that is whole, with its names (`repo:tag`). */
  record: (configDigest: string, manifestDigest: string, tags: string[]) => Promise<void>;
}

/** Files of the archive by clean path: blobs in content, and links to other files of the archive. */
interface Archive {
  blobs: Map<string, StoredBlob>;
  links: Map<string, string>;
}

/** A path inside the archive; `..` and `/` lead nowhere else, for nothing is ever written by such a name. */
const clean = (path: string) => posix.join('/', path).slice(1);

/** Streams every file into content, where it is named by its digest alone. */
async function readArchive(source: Readable, { content, keep, signal }: LoadParts): Promise<Archive> {
  const { stream } = await decompress(source, { signal });
  const archive: Archive = { blobs: new Map(), links: new Map() };
  let entries = 0;
  for await (const { header, body } of readTar(stream)) {
    signal.throwIfAborted();
    if (++entries > MAX_FILES) throw invalid('archive holds too many files');
    const name = clean(textOf(header.name));
    // Of an entry that comes twice the later one counts, as tar has it.
    archive.blobs.delete(name);
    archive.links.delete(name);
    if (header.type === 'file') archive.blobs.set(name, await ingest(content, body, keep, signal));
    else if (header.type === 'symlink')
      archive.links.set(name, clean(posix.join(posix.dirname(name), textOf(header.linkName ?? ''))));
    else if (header.type === 'hardlink') archive.links.set(name, clean(textOf(header.linkName ?? '')));
  }
  return archive;
}

function fileAt(archive: Archive, path: string): StoredBlob | undefined {
  let name = clean(path);
  for (let hops = 0; archive.links.has(name); hops++) {
    if (hops >= MAX_LINKS) throw invalid(`archive has a loop of links at ${path}`);
    name = archive.links.get(name)!;
  }
  return archive.blobs.get(name);
}

function blobAt(archive: Archive, path: string): StoredBlob {
  const found = fileAt(archive, path);
  if (found === undefined) throw invalid(`invalid archive: ${path} is missing`);
  return found;
}

const document = async <S extends z.ZodType>(
  schema: S,
  { digest }: StoredBlob,
  what: string,
  { content }: LoadParts,
): Promise<z.output<S>> => parseDocument(schema, await content.read(digest, MAX_MANIFEST), what);

/** Reads docker-archive (old and new) and OCI layout archives, plain or compressed; messages in Docker's words. */
export async function loadArchive(source: Readable, parts: LoadParts): Promise<void> {
  const archive = await readArchive(source, parts);
  const list = fileAt(archive, 'manifest.json');
  if (list !== undefined)
    return await loadDockerArchive(archive, await document(ArchiveManifest, list, 'manifest.json', parts), parts);
  const index = fileAt(archive, 'index.json');
  if (index !== undefined) return await loadLayout(archive, await document(Index, index, 'index.json', parts), parts);
  throw invalid(
    fileAt(archive, 'repositories') === undefined
      ? 'unrecognized image format: the archive has neither manifest.json nor index.json'
      : 'Docker Image Format v1 (an archive without manifest.json) is not supported',
  );
}

async function loadDockerArchive(
  archive: Archive,
  list: z.output<typeof ArchiveManifest>,
  parts: LoadParts,
): Promise<void> {
  if (list.length === 0) throw invalid('invalid archive: manifest.json names no image');
  const found: Candidate[] = [];
  for (const { Config, RepoTags, Layers } of list)
    found.push({
      config: blobAt(archive, Config),
      layers: (Layers ?? []).map((path) => blobAt(archive, path)),
      tags: RepoTags ?? [],
    });
  await loadCandidates(found, parts);
}

const blobPath = (digest: string) => `blobs/${digest.replace(':', '/')}`;

/** A blob of a layout, which must be what its name says. */
function namedBlob(archive: Archive, { digest, size }: Descriptor): StoredBlob {
  const blob = blobAt(archive, blobPath(digest));
  if (digest.startsWith('sha256:') && blob.digest !== digest)
    throw invalid(`${blobPath(digest)} does not match its digest: it has ${blob.digest}`);
  checkSize(blobPath(digest), blob.size, size);
  return blob;
}

/** `index.json` or an index that it leads to; names come from annotations. */
async function loadLayout(archive: Archive, index: Index, parts: LoadParts): Promise<void> {
  const found: Candidate[] = [];
  await candidatesOf(archive, index, [], found, parts);
  if (found.length === 0) throw invalid('invalid archive: index.json names no image');
  await loadCandidates(found, parts);
}

interface Candidate {
  config: StoredBlob;
  layers: (StoredBlob | Descriptor)[];
  tags: readonly string[];
  /** The manifest as it came; undefined: one is made. */
  manifest?: StoredBlob;
}

const MAX_DEPTH = 4;

async function candidatesOf(
  archive: Archive,
  index: Index,
  names: readonly string[],
  found: Candidate[],
  parts: LoadParts,
  depth = 0,
): Promise<void> {
  if (depth > MAX_DEPTH) throw invalid('image indexes are nested too deeply');
  // An index may name what was left out of the archive: other platforms.
  const here = index.manifests.filter(
    (descriptor) =>
      isRunnable(descriptor) && (depth === 0 || fileAt(archive, blobPath(descriptor.digest)) !== undefined),
  );
  // One name is for all platforms of an index, and can be one image's only.
  const nearest = depth === 0 ? undefined : choose(here, parts.platform ?? parts.ownPlatform);
  for (const descriptor of nearest === undefined ? here : [nearest]) {
    const own = nameOf(descriptor);
    const tags = own === undefined ? names : [own];
    const blob = namedBlob(archive, descriptor);
    if (isIndex(descriptor.mediaType)) {
      await candidatesOf(archive, await document(Index, blob, 'image index', parts), tags, found, parts, depth + 1);
      continue;
    }
    const manifest = await document(Manifest, blob, 'image manifest', parts);
    if (!isConfigType(manifest.config.mediaType)) throw invalid(`unsupported media type ${manifest.config.mediaType}`);
    for (const layer of manifest.layers) {
      if (!isLayerType(layer.mediaType)) throw invalid(`unsupported media type ${layer.mediaType}`);
      namedBlob(archive, layer);
    }
    const config = namedBlob(archive, manifest.config);
    const same = found.find((other) => other.manifest?.digest === blob.digest);
    if (same !== undefined) same.tags = [...same.tags, ...tags];
    else found.push({ config, layers: manifest.layers, tags, manifest: blob });
  }
}

/** containerd's annotation is a whole name; the OCI one may be a tag alone, which names nothing here. */
function nameOf({ annotations = {} }: Descriptor): string | undefined {
  const full = annotations['io.containerd.image.name'];
  if (full !== undefined) return full;
  const short = annotations['org.opencontainers.image.ref.name'];
  return short !== undefined && /[:/]/.test(short) ? short : undefined;
}

async function loadCandidates(candidates: readonly Candidate[], parts: LoadParts): Promise<void> {
  let loaded = 0;
  for (const candidate of candidates) {
    const config = await document(ImageConfig, candidate.config, 'image configuration', parts);
    if (parts.platform !== undefined && !fits(parts.platform, config)) continue;
    await loadImage(candidate, config, parts);
    loaded++;
  }
  if (loaded === 0)
    throw notFound(`no suitable image for platform ${platformText(parts.platform!)} found in the archive`);
}

async function loadImage(
  { config: blob, layers, tags, manifest }: Candidate,
  config: ImageConfig,
  parts: LoadParts,
): Promise<void> {
  const { content, keep, progress, signal } = parts;
  if (config.os !== '' && config.os.toLowerCase() !== 'linux') throw invalid(`cannot load ${config.os} image on linux`);
  const diffIds = config.rootfs.diff_ids ?? [];
  if (diffIds.length !== layers.length)
    throw invalid(`invalid manifest, layers length mismatch: expected ${diffIds.length}, got ${layers.length}`);
  const names = tags.map((tag) => familiarString(withDefaultTag(parseReference(tag))));
  const descriptors: Descriptor[] = [];
  for (const layer of layers)
    descriptors.push('mediaType' in layer ? layer : await asLayer(content, layer, keep, signal));
  await unpackLayers(diffIds, descriptors, parts);
  const stored = manifest ?? (await store(content, manifestBytes(blob, descriptors), keep));
  await parts.record(blob.digest, stored.digest, names);
  if (names.length === 0) progress({ stream: `Loaded image ID: ${blob.digest}\n` });
  for (const name of names) progress({ stream: `Loaded image: ${name}\n` });
}

async function unpackLayers(
  diffIds: readonly string[],
  descriptors: readonly Descriptor[],
  { content, layers, keep, progress, signal }: LoadParts,
): Promise<void> {
  const chains = chainIds(diffIds);
  for (const chainId of chains) keep.layers.add(chainId);
  for (const [index, { digest, size }] of descriptors.entries()) {
    if (layers.get(chains[index]!) !== undefined) continue;
    const id = shortId(diffIds[index]!);
    const loading = bar(progress, id, 'Loading layer', size);
    try {
      await layers.unpack(() => content.open(digest), keep.layers, {
        parent: chains[index - 1],
        diffId: diffIds[index]!,
        signal,
        onProgress: loading,
      });
    } catch (error) {
      if (signal.aborted) throw error;
      throw invalid(messageOf(error), error);
    }
    progress(barLine(id, 'Loading layer', size, size));
  }
}
