import type { Readable } from 'node:stream';
import { z } from 'zod';
import { invalid, messageOf, notFound, shortId } from '../common/index.ts';
import { familiarString, MAX_MANIFEST, parseReference, withDefaultTag } from '../registry/index.ts';
import { type Descriptor, ImageConfig, Index, Manifest, type Platform } from '../wire/index.ts';
import { ArchiveFiles, type ArchiveParts } from './archive-files.ts';
import { asLayer, checkSize, manifestBytes, type StoredBlob, store } from './blobs.ts';
import { chainIds } from './book.ts';
import { isConfigType, isIndex, isLayerType } from './media-types.ts';
import { choose, fits, isRunnable, platformText } from './platform.ts';
import { bar, barLine } from './progress.ts';
import { parseDocument } from './remote-image.ts';

/** docker-archive's `manifest.json` (moby image/tarexport). */
const ArchiveManifest = z.array(
  z.object({ Config: z.string(), RepoTags: z.array(z.string()).nullish(), Layers: z.array(z.string()).nullish() }),
);

export interface LoadParts extends ArchiveParts {
  /** undefined: whatever the archive holds; of an index of several platforms the machine's own. */
  platform: Platform | undefined;
  ownPlatform: Platform;
  /** Records an image that is whole, with its names (`repo:tag`). */
  record: (configDigest: string, manifestDigest: string, tags: string[]) => Promise<void>;
}

const document = async <S extends z.ZodType>(
  schema: S,
  { digest }: StoredBlob,
  what: string,
  { content }: LoadParts,
): Promise<z.output<S>> => parseDocument(schema, await content.read(digest, MAX_MANIFEST), what);

/** Reads docker-archive (old and new) and OCI layout archives, plain or compressed; messages in Docker's words. */
export async function loadArchive(source: Readable, parts: LoadParts): Promise<void> {
  const files = new ArchiveFiles(parts);
  try {
    await files.read(source);
    await loadFiles(files, parts);
  } finally {
    await files.end();
  }
}

async function loadFiles(files: ArchiveFiles, parts: LoadParts): Promise<void> {
  const list = files.find('manifest.json');
  if (list !== undefined)
    return await loadDockerArchive(files, await document(ArchiveManifest, list, 'manifest.json', parts), parts);
  const index = files.find('index.json');
  if (index !== undefined) return await loadLayout(files, await document(Index, index, 'index.json', parts), parts);
  throw invalid(
    files.find('repositories') === undefined
      ? 'unrecognized image format: the archive has neither manifest.json nor index.json'
      : 'Docker Image Format v1 (an archive without manifest.json) is not supported',
  );
}

async function loadDockerArchive(
  files: ArchiveFiles,
  list: z.output<typeof ArchiveManifest>,
  parts: LoadParts,
): Promise<void> {
  if (list.length === 0) throw invalid('invalid archive: manifest.json names no image');
  const found: Candidate[] = [];
  for (const { Config, RepoTags, Layers } of list)
    found.push({
      config: files.get(Config),
      layers: (Layers ?? []).map((path) => files.get(path)),
      tags: RepoTags ?? [],
    });
  await loadCandidates(files, found, parts);
}

const blobPath = (digest: string) => `blobs/${digest.replace(':', '/')}`;

/** A blob of a layout, which must be what its name says. */
function namedBlob(files: ArchiveFiles, { digest, size }: Descriptor): StoredBlob {
  const blob = files.get(blobPath(digest));
  if (digest.startsWith('sha256:') && blob.digest !== digest)
    throw invalid(`${blobPath(digest)} does not match its digest: it has ${blob.digest}`);
  checkSize(blobPath(digest), blob.size, size);
  return blob;
}

/** `index.json` or an index that it leads to; names come from annotations. */
async function loadLayout(files: ArchiveFiles, index: Index, parts: LoadParts): Promise<void> {
  const found: Candidate[] = [];
  await candidatesOf(files, index, [], found, parts);
  if (found.length === 0) throw invalid('invalid archive: index.json names no image');
  await loadCandidates(files, found, parts);
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
  files: ArchiveFiles,
  index: Index,
  names: readonly string[],
  found: Candidate[],
  parts: LoadParts,
  depth = 0,
): Promise<void> {
  if (depth > MAX_DEPTH) throw invalid('image indexes are nested too deeply');
  // An index may name what was left out of the archive: other platforms.
  const here = index.manifests.filter(
    (descriptor) => isRunnable(descriptor) && (depth === 0 || files.find(blobPath(descriptor.digest)) !== undefined),
  );
  // One name is for all platforms of an index, and can be one image's only.
  const nearest = depth === 0 ? undefined : choose(here, parts.platform ?? parts.ownPlatform);
  for (const descriptor of nearest === undefined ? here : [nearest]) {
    const own = nameOf(descriptor);
    const tags = own === undefined ? names : [own];
    const blob = namedBlob(files, descriptor);
    if (isIndex(descriptor.mediaType)) {
      await candidatesOf(files, await document(Index, blob, 'image index', parts), tags, found, parts, depth + 1);
      continue;
    }
    const manifest = await document(Manifest, blob, 'image manifest', parts);
    if (!isConfigType(manifest.config.mediaType)) throw invalid(`unsupported media type ${manifest.config.mediaType}`);
    for (const layer of manifest.layers) {
      if (!isLayerType(layer.mediaType)) throw invalid(`unsupported media type ${layer.mediaType}`);
      namedBlob(files, layer);
    }
    const config = namedBlob(files, manifest.config);
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

async function loadCandidates(files: ArchiveFiles, candidates: readonly Candidate[], parts: LoadParts): Promise<void> {
  let loaded = 0;
  for (const candidate of candidates) {
    const config = await document(ImageConfig, candidate.config, 'image configuration', parts);
    if (parts.platform !== undefined && !fits(parts.platform, config)) continue;
    await loadImage(files, candidate, config, parts);
    loaded++;
  }
  if (loaded === 0)
    throw notFound(`no suitable image for platform ${platformText(parts.platform!)} found in the archive`);
}

async function loadImage(
  files: ArchiveFiles,
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
  await unpackLayers(
    descriptors.map((layer, at) => ({ layer, diffId: diffIds[at]!, source: layers[at]!.digest })),
    files,
    parts,
  );
  const stored = manifest ?? (await store(content, manifestBytes(blob, descriptors), keep));
  await parts.record(blob.digest, stored.digest, names);
  if (names.length === 0) progress({ stream: `Loaded image ID: ${blob.digest}\n` });
  for (const name of names) progress({ stream: `Loaded image: ${name}\n` });
}

interface LayerToUnpack {
  layer: Descriptor;
  diffId: string;
  /** Digest of the archive's own blob, which may be packed as no manifest can say. */
  source: string;
}

async function unpackLayers(
  wanted: readonly LayerToUnpack[],
  files: ArchiveFiles,
  { content, layers, keep, progress, signal }: LoadParts,
): Promise<void> {
  const chains = chainIds(wanted.map(({ diffId }) => diffId));
  for (const chainId of chains) keep.layers.add(chainId);
  for (const [index, { layer, diffId, source }] of wanted.entries()) {
    if (layers.get(chains[index]!) !== undefined) continue;
    const id = shortId(diffId);
    const parent = chains[index - 1];
    const staged = files.takeStaged(source);
    try {
      if (staged?.diffId === diffId) await staged.place(parent, keep.layers);
      else {
        await staged?.discard();
        const onProgress = bar(progress, id, 'Loading layer', layer.size);
        await layers.unpack(() => content.open(layer.digest), keep.layers, { parent, diffId, signal, onProgress });
      }
    } catch (error) {
      if (signal.aborted) throw error;
      throw invalid(messageOf(error), error);
    }
    progress(barLine(id, 'Loading layer', layer.size, layer.size));
  }
}
