import { arch } from 'node:os';
import { join } from 'node:path';
import { Filters, invalid, type Logger, nowText } from '../common/index.ts';
import type { ContentStore } from '../content/index.ts';
import type { LayerStore } from '../layers/index.ts';
import { isTag, openRegistries, parseReference, type RegistryConfig } from '../registry/index.ts';
import type { Database } from '../state/index.ts';
import type { Descriptor, Platform } from '../wire/index.ts';
import { ImageBook } from './book.ts';
import { collectGarbage, collectLayers } from './collect.ts';
import { type CreationParts, commitSnapshot, createImage, giveTag, importArchive, tagName } from './create.ts';
import { Downloads } from './downloads.ts';
import { type Emit, imageEvents } from './events.ts';
import { type CleaningParts, cleanByPolicy } from './gc.ts';
import { inspectImage } from './inspect.ts';
import { type Keep, openKeep } from './keeping.ts';
import { historyOf, listImages } from './listing.ts';
import { loadArchive } from './load.ts';
import { DOCKER } from './media-types.ts';
import { checkPlatform, parsePlatform } from './platform.ts';
import { pruneImages } from './prune.ts';
import { pullImages } from './pull.ts';
import { pushImages } from './push.ts';
import { distributionOf, loginTo, searchImages } from './remote.ts';
import { removeImage } from './removal.ts';
import { chooseImages, saveImages } from './save.ts';
import { Slots } from './slots.ts';
import type { ImageStore, ImageUsers } from './types.ts';

export interface TransferOptions extends RegistryConfig {
  maxDownloads: number;
  maxUploads: number;
}

export interface ImagesOptions {
  db: Database;
  content: ContentStore;
  layers: LayerStore;
  users: ImageUsers;
  emit: Emit;
  registry: TransferOptions;
  log: Logger;
  /** Where `layers/` is, for inspect to tell. */
  dataRoot?: string;
}

const ARCHITECTURES: Record<string, Platform> = {
  x64: { os: 'linux', architecture: 'amd64' },
  arm64: { os: 'linux', architecture: 'arm64' },
  arm: { os: 'linux', architecture: 'arm', variant: 'v7' },
};

const DEFAULT_ATTEMPTS = 5;

export async function openImageStore(options: ImagesOptions): Promise<ImageStore> {
  const { db, content, layers, users, log, registry, dataRoot } = options;
  const book = await ImageBook.open(db, content, log);
  const newKeep = (): Keep => openKeep(book, { content, layers });
  const events = imageEvents(options.emit);
  const registries = openRegistries(registry, log);
  const ownPlatform: Platform = ARCHITECTURES[arch()] ?? { os: 'linux', architecture: arch() };
  const downloads = new Downloads(content, {
    parallel: registry.maxDownloads,
    attempts: registry.attempts ?? DEFAULT_ATTEMPTS,
  });
  const slots = new Slots(registry.maxUploads);
  const collection = { book, content, layers };
  const collect = () => collectGarbage(collection);
  const published = publisher(book, content, log);
  const creation: CreationParts = { book, content, layers, openKeep: newKeep, events, ownPlatform, published };
  const removal = { book, users, events, freeLayers: async () => (await collectLayers(collection)).layers };
  const cleaning: CleaningParts = {
    ...removal,
    content,
    layers,
    collect,
    place: content.path(`sha256:${'0'.repeat(64)}`).replace(/\/blobs\/.*$/, ''),
  };
  const listing = { book, layers, users };
  const layerPath =
    dataRoot === undefined
      ? undefined
      : (chainId: string) => join(dataRoot, 'layers', chainId.slice(chainId.indexOf(':') + 1));
  const platformOf = (text: string | undefined) =>
    text === undefined || text === '' ? undefined : parsePlatform(text, ownPlatform);
  /** Work that fails leaves nothing of what it brought. */
  const orNothing = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (error) {
      await collect();
      throw error;
    }
  };
  /** After a removal: what is left of it in content, and what other tools see. */
  const settle = async () => {
    await published();
    await collect();
  };
  await published();

  return {
    defaultPlatform: ownPlatform,
    resolve(ref, platform) {
      const wanted = platformOf(platform);
      const image = book.resolve(ref);
      if (wanted !== undefined) checkPlatform(ref, image.config, wanted);
      return image;
    },
    find: (ref) => {
      try {
        return book.find(ref);
      } catch {
        return undefined;
      }
    },
    all: () => book.all(),
    parentOf: (id) => book.byId(id)?.parent,
    list: (wanted) => listImages(wanted, listing),
    inspect: async (ref) => inspectImage(book.resolve(ref), layers, layerPath),
    history: async (ref) => historyOf(ref, listing),
    async tag(source, target) {
      const image = book.resolve(source);
      await giveTag(image, targetName(target), creation);
    },
    async remove(ref, wanted) {
      const items = await removeImage(ref, wanted, removal);
      await settle();
      return items;
    },
    async prune(filters) {
      const result = await pruneImages(filters, {
        ...removal,
        layerSize: (chainId) => layers.get(chainId)?.sizeBytes ?? 0,
      });
      await settle();
      events.prune({ reclaimed: String(result.SpaceReclaimed) });
      return result;
    },
    openUrl: (url, signal) => registries.open(url, signal),
    create: (image) => createImage(image, creation),
    async load(archive, { progress, quiet, signal, platform }) {
      const keep = newKeep();
      try {
        await loadArchive(archive, {
          content,
          layers,
          keep,
          platform: platformOf(platform),
          ownPlatform,
          progress: quiet ? (message) => message.status === undefined && progress(message) : progress,
          signal,
          record: async (configDigest, manifestDigest, tags) => {
            const image = await book.add(configDigest, manifestDigest, {
              usedAt: nowText(),
              names: tags.map((name) => ({ name, kind: 'tag' })),
            });
            book.used(image.id, nowText());
            await published();
            events.of('load', image);
          },
        });
      } finally {
        keep.end();
        // The archive's own documents, and blobs that were here already in another form.
        await collect();
      }
    },
    save(refs, { signal, platform }) {
      const chosen = chooseImages(refs, book, platformOf(platform));
      const keep = newKeep();
      for (const { image } of chosen) keep.image(image.id);
      const stream = saveImages(chosen, content);
      stream.once('close', () => keep.end());
      signal.addEventListener('abort', () => stream.destroy(), { once: true });
      for (const { image } of chosen) events.of('save', image);
      return stream;
    },
    importArchive: (archive, wanted) => orNothing(importArchive(archive, wanted, creation)),
    commit: (wanted) => orNothing(commitSnapshot(wanted, creation)),
    pull: (wanted) =>
      pullImages(wanted, {
        ...collection,
        openKeep: newKeep,
        collect,
        registries,
        downloads,
        events,
        ownPlatform,
        published,
        log,
      }),
    push: (wanted) =>
      pushImages(wanted, { book, content, registries, slots, openKeep: newKeep, events, published, log }),
    search: (wanted) => searchImages(wanted, registries),
    login: (auth, signal) => loginTo(auth, signal, registries),
    distribution: (ref, auth, signal) => distributionOf(ref, auth, signal, registries),
    async collect({ olderThanMs } = {}) {
      const { bytes } = await collectGarbage(collection, { olderThanMs });
      return { bytes };
    },
    async diskUsage() {
      return {
        layersSize: layers.list().reduce((sum, layer) => sum + layer.sizeBytes, 0),
        images: await listImages({ all: false, filters: new Filters(), sharedSize: true }, listing),
      };
    },
    async clean(policy) {
      const cleaned = await cleanByPolicy(policy, cleaning);
      if (cleaned.images.length === 0) return cleaned;
      await settle();
      events.prune({
        reclaimed: String(cleaned.bytes),
        reason: `gc ${cleaned.reason}`,
        images: String(cleaned.images.length),
      });
      return cleaned;
    },
    keep: newKeep,
    async close() {
      await downloads.close();
      await registries.close();
    },
  };
}

function targetName(target: string): string {
  const colon = target.lastIndexOf(':');
  const named = colon > target.lastIndexOf('/') && !target.slice(0, colon).includes('@');
  const tag = named ? target.slice(colon + 1) : undefined;
  // Said of the tag alone where the rest is good, as Docker does.
  if (tag !== undefined && !isTag(tag) && parseReference(target.slice(0, colon))) throw invalid('invalid tag format');
  const reference = parseReference(target);
  if (reference.digest !== undefined) throw invalid('cannot import digest reference');
  return tagName(reference);
}

/** Keeps content's index.json in step with the names here, one writing at a time. Skopeo and its kin read it. */
function publisher(book: ImageBook, content: ContentStore, log: Logger): () => Promise<void> {
  let last: Promise<void> = Promise.resolve();
  const entries = (): Descriptor[] =>
    book.all().flatMap((image) => {
      const entry: Descriptor = {
        mediaType: image.manifest.mediaType ?? DOCKER.manifest,
        digest: image.manifestDigest,
        size: image.manifestSize,
      };
      return image.repoTags.length === 0
        ? [entry]
        : image.repoTags.map((name) => ({ ...entry, annotations: { 'org.opencontainers.image.ref.name': name } }));
    });
  return () => {
    last = last.then(() => content.writeIndex(entries())).catch((error: unknown) => log.warn('index.json', { error }));
    return last;
  };
}
