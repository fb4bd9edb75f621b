import { PassThrough, Readable } from 'node:stream';
import { invalid, type Logger, notFound, shortId } from '../common/index.ts';
import type { ContentStore } from '../content/index.ts';
import {
  familiarName,
  familiarString,
  isTag,
  OCI,
  parseReference,
  type Reference,
  type Registries,
  type Repository,
} from '../registry/index.ts';
import { type Descriptor, Manifest, type Progress } from '../wire/index.ts';
import { gzipped, manifestBytes, type Packing, store } from './blobs.ts';
import type { ImageBook, StoredImage } from './book.ts';
import type { ImageEvents } from './events.ts';
import type { Keep } from './keeping.ts';
import { DOCKER } from './media-types.ts';
import { fits, normalised, parsePlatform, platformText } from './platform.ts';
import { bar, layerLine } from './progress.ts';
import type { Slots } from './slots.ts';
import type { ImageStore } from './types.ts';

/** Of a layer that is packed faster than it is sent. */
const SENT_AHEAD_BYTES = 1024 * 1024;

export interface PushParts {
  book: ImageBook;
  content: ContentStore;
  registries: Registries;
  slots: Slots;
  openKeep: () => Keep;
  events: ImageEvents;
  published: () => Promise<void>;
  log: Logger;
}

type PushOptions = Parameters<ImageStore['push']>[0];

interface Push {
  repository: Repository;
  reference: Reference;
  keep: Keep;
  progress: Progress;
  signal: AbortSignal;
}

/** `docker push`: one tag, or all tags of a repository. */
export async function pushImages(options: PushOptions, parts: PushParts): Promise<void> {
  const { auth, progress, signal } = options;
  const reference = referenceOf(options.image, options.tag);
  const name = familiarName(reference);
  progress({ status: `The push refers to repository [${reference.domain}/${reference.path}]` });
  const wanted = tagsHere(reference, parts.book);
  if (wanted.length === 0 && tagsHere({ ...reference, tag: undefined }, parts.book).length > 0)
    throw notFound(`tag does not exist: ${familiarString(reference)}`);
  if (wanted.length === 0) throw notFound(`An image does not exist locally with the tag: ${name}`);
  for (const { id, tag } of wanted) {
    // As it is now: the push of another tag may have packed its layers.
    const image = parts.book.byId(id);
    if (image === undefined) throw notFound(`No such image: ${name}:${tag}`);
    checkPlatform(image, `${name}:${tag}`, options.platform);
    const keep = parts.openKeep();
    try {
      keep.image(id);
      await parts.registries.with(reference, { auth, purpose: 'push', signal }, (repository) =>
        pushOne(image, tag, { repository, reference, keep, progress, signal }, parts),
      );
      parts.events.named('push', image, `${name}:${tag}`, name);
    } finally {
      keep.end();
    }
  }
}

function referenceOf(image: string, tag: string | undefined): Reference {
  const given = parseReference(image);
  if (given.digest !== undefined) throw invalid('cannot push a digest reference');
  if (tag === undefined || tag === '') return given;
  if (!isTag(tag)) throw invalid('invalid tag format');
  return { ...given, tag };
}

function tagsHere(reference: Reference, book: ImageBook): { id: string; tag: string }[] {
  const name = familiarName(reference);
  const tagOf = (known: string) => (known.startsWith(`${name}:`) ? known.slice(name.length + 1) : undefined);
  return book
    .all()
    .flatMap(({ id, repoTags }) => repoTags.map((known) => ({ id, tag: tagOf(known) ?? '' })))
    .filter(({ tag }) => isTag(tag) && (reference.tag === undefined || tag === reference.tag))
    .sort((a, b) => (a.tag < b.tag ? -1 : 1));
}

function checkPlatform(image: StoredImage, shown: string, platform: string | undefined): void {
  if (platform === undefined || platform === '') return;
  const wanted = parsePlatform(platform, image.config);
  if (!fits(wanted, image.config))
    throw notFound(
      `image with reference ${shown} was found but its platform (${platformText(normalised(image.config))}) does not match the specified platform (${platformText(wanted)})`,
    );
}

async function pushOne(image: StoredImage, tag: string, push: Push, parts: PushParts): Promise<void> {
  const { repository, progress, signal, keep, reference } = push;
  for (const diffId of image.diffIds.toReversed()) progress(layerLine(shortId(diffId), 'Preparing'));
  const layers = [...image.manifest.layers];
  const failure = new AbortController();
  const inner: Push = { ...push, signal: AbortSignal.any([signal, failure.signal]) };
  const once = new Map<string, Promise<Descriptor>>();
  const pushed = layers.map((layer, index) => {
    const diffId = image.diffIds[index]!;
    // One blob may stand for several layers.
    const work =
      once.get(layer.digest) ?? parts.slots.run(() => pushLayer({ layer, diffId }, inner, parts), inner.signal);
    once.set(layer.digest, work);
    work.catch((error: unknown) => failure.abort(error));
    return work;
  });
  const results = await Promise.allSettled(pushed);
  if (failure.signal.aborted) throw signal.aborted ? signal.reason : failure.signal.reason;
  const sent = results.map((result, index) => (result.status === 'fulfilled' ? result.value : layers[index]!));
  const manifest = await manifestFor(image, sent, keep, parts);
  await pushBlob({ ...image.manifest.config, digest: image.id }, undefined, push, parts);
  await repository.putManifest(tag, manifest, signal);
  // It may have been removed meanwhile; what was pushed is pushed.
  if (parts.book.byId(image.id) !== undefined) {
    parts.book.name(image.id, { name: `${familiarName(reference)}@${manifest.digest}`, kind: 'digest' });
    await parts.published();
  }
  progress({ status: `${tag}: digest: ${manifest.digest} size: ${manifest.bytes.length}` });
  progress({ progressDetail: {}, aux: { Tag: tag, Digest: manifest.digest, Size: manifest.bytes.length } });
}

/** The image's own manifest, byte for byte; a new one only if a layer was packed for the push, which is the image's from now on. */
async function manifestFor(
  image: StoredImage,
  layers: readonly Descriptor[],
  keep: Keep,
  { book, content }: PushParts,
): Promise<{ digest: string; bytes: Buffer; mediaType: string }> {
  const same = layers.every(({ digest }, index) => digest === image.manifest.layers[index]?.digest);
  if (same)
    return {
      digest: image.manifestDigest,
      bytes: await content.read(image.manifestDigest),
      mediaType: image.manifest.mediaType ?? OCI.manifest,
    };
  const bytes = manifestBytes({ digest: image.id, size: image.manifest.config.size }, layers);
  const { digest } = await store(content, bytes, keep);
  await book.setManifest(image.id, digest);
  return { digest, bytes, mediaType: Manifest.parse(JSON.parse(bytes.toString())).mediaType ?? OCI.manifest };
}

const isPlain = (mediaType: string) => mediaType === DOCKER.layer || mediaType === OCI.layer;

interface PushedLayer {
  layer: Descriptor;
  diffId: string;
}

/** Sends a layer as it is; one that was made here and never pushed is packed for it. */
async function pushLayer({ layer, diffId }: PushedLayer, push: Push, parts: PushParts): Promise<Descriptor> {
  const { repository, signal } = push;
  const asItIs =
    !isPlain(layer.mediaType) || (await repository.hasBlob(layer.digest, signal)) || cameFrom(layer.digest, parts.book);
  const known = asItIs ? layer : await packedBefore(diffId, push, parts);
  if (known === undefined) return await pushWhilePacking({ layer, diffId }, push, parts);
  await pushBlob(known, shortId(diffId), push, parts);
  return known;
}

/** The layer as it was packed for another image. */
async function packedBefore(diffId: string, { keep }: Push, { book }: PushParts): Promise<Descriptor | undefined> {
  for (const { diffIds, manifest } of book.all()) {
    const layer = manifest.layers[diffIds.indexOf(diffId)];
    if (layer !== undefined && !isPlain(layer.mediaType) && (await keep.blob(layer.digest))) return layer;
  }
  return undefined;
}

/** Packs a layer and sends it at the same time. Its digest is known only at the end: the registry cannot be asked for it before. */
async function pushWhilePacking({ layer, diffId }: PushedLayer, push: Push, parts: PushParts): Promise<Descriptor> {
  const { repository, keep, progress, signal } = push;
  const id = shortId(diffId);
  const sink = new PassThrough({ highWaterMark: SENT_AHEAD_BYTES });
  const refused = new AbortController();
  const sending = repository.stream(sink, signal);
  sending.catch((error: unknown) => refused.abort(error));
  const packing: Packing = {
    keep,
    signal: AbortSignal.any([signal, refused.signal]),
    sink,
    onProgress: bar(progress, id, 'Pushing', layer.size),
  };
  const packed = await gzipped(parts.content, layer.digest, packing).catch((error: unknown) => {
    sink.destroy();
    throw error;
  });
  sink.end();
  await repository.upload(sourceOf(packed, parts.content), signal, await sending);
  progress(layerLine(id, 'Pushed'));
  return packed;
}

const sourceOf = ({ digest, size }: Descriptor, content: ContentStore) => ({
  digest,
  size,
  open: (start: number, end: number) => openRange(content, digest, start, end),
});

/** True if some registry is known to have the blob: then its digest is to stay. */
const cameFrom = (digest: string, book: ImageBook): boolean =>
  book
    .all()
    .some((image) => image.repoDigests.length > 0 && image.manifest.layers.some((layer) => layer.digest === digest));

async function pushBlob(descriptor: Descriptor, id: string | undefined, push: Push, parts: PushParts): Promise<void> {
  const { repository, progress, signal, reference } = push;
  const say = (status: string) => id !== undefined && progress(layerLine(id, status));
  if (await repository.hasBlob(descriptor.digest, signal)) {
    say('Layer already exists');
    return;
  }
  const from =
    id === undefined
      ? undefined
      : await repository.mount(descriptor.digest, neighbours(descriptor.digest, reference, parts.book), signal);
  if (from !== undefined) {
    say(`Mounted from ${from}`);
    return;
  }
  const size = (await parts.content.size(descriptor.digest)) ?? descriptor.size;
  const onProgress = id === undefined ? undefined : bar(progress, id, 'Pushing', size);
  await repository.upload({ ...sourceOf({ ...descriptor, size }, parts.content), onProgress }, signal);
  say('Pushed');
}

/** Repositories of the same registry whose images here have the blob: they can give it. */
function neighbours(digest: string, target: Reference, book: ImageBook): string[] {
  const names = book
    .all()
    .filter((image) => image.manifest.layers.some((layer) => layer.digest === digest))
    .flatMap((image) => image.repoDigests.map((name) => parseReference(name)))
    .filter(({ domain, path }) => domain === target.domain && path !== target.path);
  return [...new Set(names.map(({ path }) => path))];
}

async function openRange(content: ContentStore, digest: string, start: number, end: number) {
  const stream = await content.open(digest, { start });
  const size = await content.size(digest);
  if (size === undefined || end >= size) return stream;
  let left = end - start;
  async function* upTo(): AsyncGenerator<Buffer> {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      if (chunk.length >= left) {
        yield chunk.subarray(0, left);
        return;
      }
      left -= chunk.length;
      yield chunk;
    }
  }
  return Readable.from(upTo(), { objectMode: false });
}
