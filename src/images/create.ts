import type { Readable } from 'node:stream';
import { conflict, invalid, nowText } from '../common/index.ts';
import type { ContentStore } from '../content/index.ts';
import type { LayerStore } from '../layers/index.ts';
import { familiarString, isTag, parseReference, type Reference, withDefaultTag } from '../registry/index.ts';
import type { Descriptor, HistoryEntry, ImageConfig, Platform } from '../wire/index.ts';
import { asLayer, ingest, manifestBytes, store } from './blobs.ts';
import { chainIds, type ImageBook, type StoredImage } from './book.ts';
import { applyChanges } from './changes.ts';
import type { ImageEvents } from './events.ts';
import type { Keep } from './keeping.ts';
import { DOCKER } from './media-types.ts';
import { normalised, parsePlatform } from './platform.ts';
import type { ImageStore, NewImage } from './types.ts';

export interface CreationParts {
  book: ImageBook;
  content: ContentStore;
  layers: LayerStore;
  openKeep: () => Keep;
  events: ImageEvents;
  ownPlatform: Platform;
  published: () => Promise<void>;
}

/** What clients show as the version of the engine that made an image. */
const MADE_BY = 'gantry';

/** The name to give a new image, or undefined. */
export function nameFor(repo: string | undefined, tag: string | undefined): string | undefined {
  if (repo === undefined || repo === '') return undefined;
  const given = parseReference(repo);
  if (given.digest !== undefined) throw invalid('cannot import digest reference');
  if (tag !== undefined && tag !== '' && !isTag(tag)) throw invalid('invalid tag format');
  const reference = tag === undefined || tag === '' ? given : { ...given, tag };
  return tagName(reference);
}

/** `repo:tag` as it is stored. Throws for what would be taken for an id. */
export function tagName(reference: Reference): string {
  const name = familiarString(withDefaultTag(reference));
  if (/^sha(256|384|512):/.test(name))
    throw invalid('refusing to create an ambiguous tag using digest algorithm as name');
  return name;
}

/** Names an image and says so. */
export async function giveTag(
  image: StoredImage,
  name: string,
  { book, events, published }: Pick<CreationParts, 'book' | 'events' | 'published'>,
): Promise<void> {
  book.name(image.id, { name, kind: 'tag', taggedAt: nowText() });
  await published();
  events.tag(image, name);
}

/** Records an image whose layers are on disk and in content. */
export async function createImage(image: NewImage, parts: CreationParts): Promise<StoredImage> {
  const keep = parts.openKeep();
  try {
    const made = await createKept(image, keep, parts);
    parts.events.of('create', made);
    for (const name of image.tags ?? []) parts.events.tag(made, name);
    return made;
  } finally {
    keep.end();
  }
}

async function createKept(image: NewImage, keep: Keep, parts: CreationParts): Promise<StoredImage> {
  const { content, layers, book, published } = parts;
  const chains = chainIds(image.layers.map(({ diffId }) => diffId));
  for (const chainId of chains) keep.layers.add(chainId);
  const gone = chains.find((chainId) => layers.get(chainId) === undefined);
  if (gone !== undefined) throw conflict(`layer ${gone} is gone`);
  for (const { digest } of image.layers) if (!(await keep.blob(digest))) throw conflict(`content ${digest} is gone`);
  const config = await store(content, Buffer.from(JSON.stringify(image.config)), keep);
  const descriptors = image.layers.map(({ digest, size, mediaType }): Descriptor => ({ digest, size, mediaType }));
  const manifest = await store(content, manifestBytes(config, descriptors), keep);
  const now = nowText();
  const tags = image.tags ?? [];
  const stored = await book.add(config.digest, manifest.digest, {
    parent: image.parentId,
    usedAt: now,
    names: tags.map((name) => ({ name, kind: 'tag', taggedAt: now })),
  });
  await published();
  return stored;
}

/** `docker import`: a file system as the only layer of a new image. */
export async function importArchive(
  archive: Readable,
  { repo, tag, message, changes = [], platform, signal, source }: Parameters<ImageStore['importArchive']>[1],
  parts: CreationParts,
): Promise<StoredImage> {
  const name = nameFor(repo, tag);
  const config = applyChanges({}, changes);
  const made =
    platform === undefined || platform === ''
      ? normalised(parts.ownPlatform)
      : parsePlatform(platform, parts.ownPlatform);
  if (made.os !== 'linux') throw invalid(`operating system is not supported`);
  const keep = parts.openKeep();
  try {
    const blob = await ingest(parts.content, archive, keep, signal);
    const layer = await asLayer(parts.content, blob, keep, signal);
    const unpacked = await parts.layers.unpack(() => parts.content.open(layer.digest), keep.layers, { signal });
    const created = nowText();
    const comment = message || `Imported from ${source}`;
    const image = await createKept(
      {
        config: {
          architecture: made.architecture,
          ...(made.variant === undefined ? {} : { variant: made.variant }),
          comment,
          config,
          created,
          docker_version: MADE_BY,
          history: [{ created, comment }],
          os: made.os,
          rootfs: { type: 'layers', diff_ids: [unpacked.diffId] },
        },
        layers: [{ ...layer, diffId: unpacked.diffId, chainId: unpacked.chainId }],
        tags: name === undefined ? [] : [name],
      },
      keep,
      parts,
    );
    if (name !== undefined) parts.events.tag(image, name);
    parts.events.of('import', image);
    return image;
  } finally {
    keep.end();
  }
}

/** `docker commit`: a snapshot's changes as one layer over its image; no layer where nothing changed. */
export async function commitSnapshot(
  options: Parameters<ImageStore['commit']>[0],
  parts: CreationParts,
): Promise<StoredImage> {
  const { snapshotId, parentImageId, config, repo, tag, author, comment, createdBy, signal } = options;
  const { book, layers, openKeep, events, ownPlatform } = parts;
  const name = nameFor(repo, tag);
  const parent = parentImageId === undefined ? undefined : book.byId(parentImageId);
  const keep = openKeep();
  try {
    const changed = (await layers.changes(snapshotId)).length > 0;
    const layer = changed ? await layerOf(snapshotId, parent, keep, signal, parts) : undefined;
    const created = nowText();
    const history: HistoryEntry = {
      created,
      created_by: createdBy,
      ...(author ? { author } : {}),
      ...(comment ? { comment } : {}),
      ...(layer === undefined ? { empty_layer: true } : {}),
    };
    const image = await createKept(
      {
        config: commitConfig(parent?.config, config, {
          layer: layer?.diffId,
          history,
          author,
          comment,
          platform: ownPlatform,
        }),
        layers: [...layersOf(parent), ...(layer === undefined ? [] : [layer])],
        parentId: parent?.id,
      },
      keep,
      parts,
    );
    events.of('create', image);
    if (name !== undefined) await giveTag(image, name, parts);
    return image;
  } finally {
    keep.end();
  }
}

async function layerOf(
  snapshotId: string,
  parent: StoredImage | undefined,
  keep: Keep,
  signal: AbortSignal,
  { content, layers }: CreationParts,
): Promise<NewImage['layers'][number]> {
  const blob = await ingest(content, layers.diffTar(snapshotId, { signal }), keep, signal);
  const unpacked = await layers.unpack(() => content.open(blob.digest), keep.layers, {
    parent: parent?.chainId,
    diffId: blob.digest,
    signal,
  });
  return { ...blob, diffId: unpacked.diffId, chainId: unpacked.chainId, mediaType: DOCKER.layer };
}

/** The layers of a stored image as a new image lists them. */
function layersOf(image: StoredImage | undefined): NewImage['layers'] {
  return (image?.manifest.layers ?? []).map(({ digest, size, mediaType }, index) => ({
    diffId: image?.diffIds[index] ?? '',
    chainId: image?.chains[index] ?? '',
    digest,
    size,
    mediaType,
  }));
}

function commitConfig(
  parent: ImageConfig | undefined,
  config: NewImage['config']['config'],
  about: { layer: string | undefined; history: HistoryEntry; author?: string; comment?: string; platform: Platform },
): ImageConfig {
  // What a builder wrote about the parent is not about its child.
  const from: Record<string, unknown> = parent ?? {};
  const { container: _container, container_config: _config, comment: _comment, author: _author, ...kept } = from;
  return {
    ...kept,
    architecture: parent?.architecture ?? about.platform.architecture,
    os: parent?.os ?? 'linux',
    ...(about.author ? { author: about.author } : {}),
    ...(about.comment ? { comment: about.comment } : {}),
    config,
    created: about.history.created,
    docker_version: MADE_BY,
    history: [...(parent?.history ?? []), about.history],
    rootfs: {
      type: 'layers',
      diff_ids: [...(parent?.rootfs.diff_ids ?? []), ...(about.layer === undefined ? [] : [about.layer])],
    },
  };
}
