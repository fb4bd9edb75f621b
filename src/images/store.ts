import { arch } from 'node:os';
import { Filters, invalid, type Logger, nowText } from '../common/index.ts';
import type { ContentStore } from '../content/index.ts';
import type { LayerStore } from '../layers/index.ts';
import { familiarString, parseReference, withDefaultTag } from '../registry/index.ts';
import type { Database } from '../state/index.ts';
import type { ContainerConfig, Descriptor, HistoryEntry, ImageConfig, Platform } from '../wire/index.ts';
import { ingest, layerMediaType, manifestBytes } from './blobs.ts';
import { ImageBook, type StoredImage } from './book.ts';
import { applyChanges } from './changes.ts';
import { collectGarbage } from './collect.ts';
import { inspectImage } from './inspect.ts';
import { historyOf, listImages } from './listing.ts';
import { loadArchive } from './load.ts';
import { DOCKER } from './media-types.ts';
import { pruneImages, removeImage, type RemovalParts } from './removal.ts';
import { saveImages } from './save.ts';
import { openTransfers, type TransferOptions } from './transfers.ts';
import type { Image, ImageStore, ImageUsers, NewImage } from './types.ts';

export interface ImagesOptions {
  db: Database;
  content: ContentStore;
  layers: LayerStore;
  users: ImageUsers;
  emit: (action: string, id: string, attributes: Record<string, string>) => void;
  registry: TransferOptions;
  log: Logger;
}

const ARCHITECTURES: Record<string, Platform> = {
  x64: { os: 'linux', architecture: 'amd64' },
  arm64: { os: 'linux', architecture: 'arm64' },
  arm: { os: 'linux', architecture: 'arm', variant: 'v7' },
};

/** Docker's own version in images made here; clients show it. */
const BUILT_ON = 'gantry';

export async function openImageStore(options: ImagesOptions): Promise<ImageStore> {
  const { db, content, layers, users, emit, log } = options;
  const book = await ImageBook.open(db, content);
  const defaultPlatform: Platform = ARCHITECTURES[arch()] ?? { os: 'linux', architecture: arch() };
  const collect = () => collectGarbage({ book, content, layers });
  const removal: RemovalParts = { book, layers, users, emit, collect };

  const rewriteIndex = () =>
    content.writeIndex(
      book.all().flatMap((image) => {
        const base: Descriptor = { mediaType: image.manifest.mediaType ?? DOCKER.manifest, digest: image.manifestDigest, size: JSON.stringify(image.manifest).length };
        return image.repoTags.map((name) => ({ ...base, annotations: { 'org.opencontainers.image.ref.name': name } }));
      }),
    );

  async function sized(): Promise<void> {
    await rewriteIndex().catch((error: unknown) => log.warn('index.json', { error }));
  }

  async function record(configDigest: string, manifestDigest: string, tags: readonly string[], parent?: string): Promise<StoredImage> {
    const image = await book.add(configDigest, manifestDigest, parent);
    for (const tag of tags) book.name(image.id, tag, 'tag', nowText());
    await sized();
    return image;
  }

  async function create(image: NewImage): Promise<Image> {
    const lease = content.lease();
    try {
      const bytes = Buffer.from(JSON.stringify(image.config));
      const config = await content.put(bytes);
      lease.add(config.digest);
      const descriptors = image.layers.map(({ digest, size, mediaType }) => ({ digest, size, mediaType }));
      for (const { digest } of descriptors) lease.add(digest);
      const manifest = await content.put(manifestBytes({ ...config, mediaType: DOCKER.config }, descriptors));
      lease.add(manifest.digest);
      return await record(config.digest, manifest.digest, image.tags ?? [], image.parentId);
    } finally {
      lease.end();
    }
  }

  const nameFor = (repo: string | undefined, tag: string | undefined): string | undefined => {
    if (repo === undefined || repo === '') return undefined;
    const reference = parseReference(tag === undefined || tag === '' ? repo : `${repo}:${tag}`);
    if (reference.digest !== undefined) throw invalid('cannot import digest reference');
    return familiarString(withDefaultTag(reference));
  };

  const transfers = openTransfers({ ...options, book, record, defaultPlatform, ...options.registry });

  return {
    defaultPlatform,
    resolve: (ref) => book.resolve(ref),
    find: (ref) => {
      try {
        return book.find(ref);
      } catch {
        return undefined;
      }
    },
    all: () => book.all(),
    parentOf: (id) => book.byId(id)?.parent,
    list: (wanted) => listImages(wanted, removal),
    inspect: async (ref) => inspectImage(book.resolve(ref), layers),
    history: async (ref) => historyOf(ref, removal),
    async tag(source, target) {
      const image = book.resolve(source);
      const reference = parseReference(target);
      if (reference.digest !== undefined) throw invalid('refusing to create a tag with a digest reference');
      const name = familiarString(withDefaultTag(reference));
      book.name(image.id, name, 'tag', nowText());
      await sized();
      emit('tag', image.id, { name });
    },
    async remove(ref, wanted) {
      const items = await removeImage(ref, wanted, removal);
      await sized();
      return items;
    },
    async prune(filters) {
      const result = await pruneImages(filters, removal);
      await sized();
      emit('prune', '', { reclaimed: String(result.SpaceReclaimed) });
      return result;
    },
    create,
    async load(archive, { progress, signal }) {
      const lease = content.lease();
      try {
        await loadArchive(archive, { progress, signal }, {
          content,
          layers,
          lease,
          record: async (configDigest, manifestDigest, tags) => {
            const image = await record(configDigest, manifestDigest, tags);
            emit('load', image.id, { name: tags[0] ?? image.id });
          },
        });
      } finally {
        lease.end();
        await collect();
      }
    },
    save(refs, { signal }) {
      const stream = saveImages(refs, { book, content });
      signal.addEventListener('abort', () => stream.destroy());
      for (const ref of refs) {
        const image = book.find(ref);
        if (image !== undefined) emit('save', image.id, { name: image.repoTags[0] ?? image.id });
      }
      return stream;
    },
    async importArchive(archive, { repo, tag, message, changes = [], platform, signal, source }) {
      const name = nameFor(repo, tag);
      const config = applyChanges({}, changes);
      const [os = 'linux', architecture = defaultPlatform.architecture, variant] = platform === undefined || platform === '' ? [] : platform.split('/');
      if (os !== 'linux') throw invalid(`operating system is not supported: "${os}"`);
      const lease = content.lease();
      try {
        const blob = await ingest(content, archive, lease, signal);
        const layer = await layers.unpack(() => content.open(blob.digest), { signal });
        const created = nowText();
        const image = await create({
          config: {
            created,
            architecture,
            os,
            ...(variant === undefined ? {} : { variant }),
            config,
            rootfs: { type: 'layers', diff_ids: [layer.diffId] },
            history: [{ created, comment: message || `Imported from ${source}` }],
            docker_version: BUILT_ON,
          },
          layers: [{ diffId: layer.diffId, chainId: layer.chainId, digest: blob.digest, size: blob.size, mediaType: layerMediaType(blob.head) }],
          tags: name === undefined ? [] : [name],
        });
        emit('import', image.id, { name: name ?? image.id });
        return image;
      } finally {
        lease.end();
      }
    },
    async commit({ snapshotId, parentImageId, config, repo, tag, author, comment, createdBy, signal }) {
      const name = nameFor(repo, tag);
      const parent = parentImageId === undefined ? undefined : book.byId(parentImageId);
      const lease = content.lease();
      try {
        const blob = await ingest(content, layers.diffTar(snapshotId, { signal }), lease, signal);
        const layer = await layers.unpack(() => content.open(blob.digest), { parent: parent?.chainId, diffId: blob.digest, signal });
        return await create({
          config: commitConfig(parent?.config, config, layer.diffId, { author, comment, createdBy }, defaultPlatform),
          layers: [...layersOf(parent), { diffId: layer.diffId, chainId: layer.chainId, digest: blob.digest, size: blob.size, mediaType: DOCKER.layer }],
          tags: name === undefined ? [] : [name],
          parentId: parent?.id,
        });
      } finally {
        lease.end();
      }
    },
    pull: (wanted) => transfers.pull(wanted),
    push: (wanted) => transfers.push(wanted),
    search: (wanted) => transfers.search(wanted),
    login: (auth, signal) => transfers.login(auth, signal),
    distribution: (ref, auth, signal) => transfers.distribution(ref, auth, signal),
    async collect() {
      const { bytes } = await collect();
      return { bytes };
    },
    async diskUsage() {
      return { layersSize: layers.list().reduce((sum, layer) => sum + layer.sizeBytes, 0), images: await listImages({ all: false, filters: new Filters(), sharedSize: true }, removal) };
    },
  };
}

/** The layers of a stored image as a new image lists them. */
export function layersOf(image: StoredImage | undefined): NewImage['layers'] {
  if (image === undefined) return [];
  return image.manifest.layers.map(({ digest, size, mediaType }, index) => ({ diffId: image.diffIds[index] ?? '', chainId: '', digest, size, mediaType }));
}

function commitConfig(
  parent: ImageConfig | undefined,
  config: ContainerConfig,
  diffId: string,
  about: { author?: string; comment?: string; createdBy: string },
  platform: Platform,
): ImageConfig {
  const created = nowText();
  const entry: HistoryEntry = { created, created_by: about.createdBy, ...(about.author ? { author: about.author } : {}), ...(about.comment ? { comment: about.comment } : {}) };
  return {
    ...(parent ?? {}),
    created,
    ...(about.author ? { author: about.author } : {}),
    architecture: parent?.architecture ?? platform.architecture,
    os: parent?.os ?? 'linux',
    config,
    rootfs: { type: 'layers', diff_ids: [...(parent?.rootfs.diff_ids ?? []), diffId] },
    history: [...(parent?.history ?? []), entry],
  };
}
