import { invalid, isKind, type Logger, messageOf, nowText, shortId } from '../common/index.ts';
import type { ContentStore } from '../content/index.ts';
import type { LayerStore } from '../layers/index.ts';
import {
  familiarName,
  familiarString,
  fullName,
  isTag,
  MAX_MANIFEST,
  parseReference,
  type Reference,
  type Registries,
  type Repository,
  withDefaultTag,
} from '../registry/index.ts';
import { type Descriptor, ImageConfig, type Manifest, type Platform, type Progress } from '../wire/index.ts';
import { chainIds, type ImageBook, type NewName, type StoredImage } from './book.ts';
import type { DownloadState, Downloads } from './downloads.ts';
import type { ImageEvents } from './events.ts';
import type { Keep } from './keeping.ts';
import { fits, normalised, parsePlatform, platformText } from './platform.ts';
import { bar, barLine, layerLine } from './progress.ts';
import { fetchRemoteImage, parseDocument, pullRefusal } from './remote-image.ts';
import type { ImageStore } from './types.ts';

export interface PullParts {
  book: ImageBook;
  content: ContentStore;
  layers: LayerStore;
  registries: Registries;
  downloads: Downloads;
  openKeep: () => Keep;
  events: ImageEvents;
  ownPlatform: Platform;
  /** Rewrites what other tools see of the store. */
  published: () => Promise<void>;
  /** Removes what nobody needs. */
  collect: () => Promise<unknown>;
  log: Logger;
}

type PullOptions = Parameters<ImageStore['pull']>[0];

/** What one pull of one name is about. */
interface Wish {
  reference: Reference;
  platform: Platform;
  /** Said by the user. */
  explicit: boolean;
  progress: Progress;
  signal: AbortSignal;
  auth: PullOptions['auth'];
}

/** `docker pull`: one tag or digest, or all tags of a repository. */
export async function pullImages(options: PullOptions, parts: PullParts): Promise<void> {
  const { auth, progress, signal } = options;
  const reference = referenceOf(options.image, options.tag);
  const explicit = options.platform !== undefined && options.platform !== '';
  const platform = explicit ? parsePlatform(options.platform!, parts.ownPlatform) : normalised(parts.ownPlatform);
  const wish: Wish = { reference, platform, explicit, progress, signal, auth };
  const everyTag = options.all === true && reference.tag === undefined && reference.digest === undefined;
  const wanted = everyTag ? await tagsOf(wish, parts) : [withDefaultTag(reference)];
  let fetched = false;
  for (const one of wanted) fetched = (await pullOne({ ...wish, reference: one }, parts)) || fetched;
  const shown = familiarString(everyTag ? reference : wanted[0]!);
  progress({
    status: fetched ? `Status: Downloaded newer image for ${shown}` : `Status: Image is up to date for ${shown}`,
  });
  const image = parts.book.find(familiarString(wanted[0]!));
  if (image !== undefined) {
    if (explicit && !fits(platform, image.config))
      progress({
        status: `WARNING: image with reference ${shown} was found but its platform (${platformText(normalised(image.config))}) does not match the specified platform (${platformText(platform)})`,
      });
    parts.events.named('pull', image, shown, familiarName(reference));
  }
}

function referenceOf(image: string, tag: string | undefined): Reference {
  const given = parseReference(image);
  if (tag === undefined || tag === '') return given;
  if (/^(sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/.test(tag)) return { ...given, tag: undefined, digest: tag };
  if (!isTag(tag)) throw invalid('invalid tag format');
  return { ...given, tag, digest: undefined };
}

async function tagsOf({ reference, auth, signal }: Wish, { registries }: PullParts): Promise<Reference[]> {
  try {
    const tags = await registries.with(reference, { auth, purpose: 'pull', signal }, (repository) =>
      repository.tags(signal),
    );
    return tags.map((tag) => ({ ...reference, tag }));
  } catch (error) {
    throw pullRefusal(error, reference);
  }
}

/** True if anything changed here. */
async function pullOne(wish: Wish, parts: PullParts): Promise<boolean> {
  try {
    return await pullKept(wish, parts);
  } catch (error) {
    // What came before a break is for the next try; of what is bad nothing is to stay.
    if (isKind(error, 'invalid')) await parts.collect();
    throw error;
  }
}

async function pullKept(wish: Wish, parts: PullParts): Promise<boolean> {
  const { reference, auth, signal } = wish;
  const keep = parts.openKeep();
  try {
    return await parts.registries.with(reference, { auth, purpose: 'pull', signal }, async (repository) => {
      const known = await knownAlready(wish, repository, parts);
      return known === undefined
        ? await fetchImage(wish, repository, keep, parts)
        : await upToDate(known.image, known.digest, wish, parts);
    });
  } catch (error) {
    throw pullRefusal(error, reference);
  } finally {
    keep.end();
  }
}

/** The image here that the registry's digest names; one HEAD instead of fetching anything. */
async function knownAlready(
  { reference, platform, signal }: Wish,
  repository: Repository,
  { book }: PullParts,
): Promise<{ image: StoredImage; digest: string } | undefined> {
  const head = await repository.head(reference.digest ?? reference.tag ?? 'latest', signal);
  if (head === undefined) return undefined;
  const image = book.named(`${familiarName(reference)}@${head.digest}`);
  return image !== undefined && fits(platform, image.config) ? { image, digest: head.digest } : undefined;
}

function announce({ reference, progress }: Wish): void {
  progress({
    status: `Pulling from ${reference.path}`,
    id: reference.digest === undefined ? (reference.tag ?? 'latest') : `${fullName(reference)}@${reference.digest}`,
  });
}

async function upToDate(image: StoredImage, digest: string, wish: Wish, parts: PullParts): Promise<boolean> {
  announce(wish);
  const { names, changed } = namesFor(image.id, digest, wish, parts);
  for (const name of names) parts.book.name(image.id, name);
  parts.book.used(image.id, nowText());
  await parts.published();
  wish.progress({ status: `Digest: ${digest}` });
  return changed;
}

/** What the image is to be called; `changed` if the name was another's or nobody's. */
function namesFor(
  id: string,
  digest: string,
  { reference }: Wish,
  { book }: PullParts,
): { names: NewName[]; changed: boolean } {
  const name = familiarName(reference);
  const shown = reference.digest === undefined ? `${name}:${reference.tag}` : `${name}@${reference.digest}`;
  const changed = book.named(shown)?.id !== id;
  const names: NewName[] = [{ name: `${name}@${digest}`, kind: 'digest' }];
  if (reference.digest === undefined && changed) names.push({ name: shown, kind: 'tag' });
  return { names, changed };
}

async function fetchImage(wish: Wish, repository: Repository, keep: Keep, parts: PullParts): Promise<boolean> {
  const { platform, signal, progress, reference } = wish;
  const remote = await fetchRemoteImage(repository, reference, platform, signal);
  announce(wish);
  const { manifest } = remote;
  await fetchBlob(manifest.config, repository, keep, { signal }, parts);
  const config = parseDocument(
    ImageConfig,
    await parts.content.read(manifest.config.digest, MAX_MANIFEST),
    'image configuration',
  );
  if (config.os !== '' && config.os.toLowerCase() !== 'linux')
    throw invalid(
      `image operating system ${JSON.stringify(config.os)} cannot be used on this platform: operating system is not supported`,
    );
  await fetchLayers(manifest, config, { repository, keep, progress, signal }, parts);
  await parts.content.put(remote.bytes, keep.content, { digest: remote.manifestDigest });
  const id = manifest.config.digest;
  const { names, changed } = namesFor(id, remote.namedDigest, wish, parts);
  await parts.book.add(id, remote.manifestDigest, { replace: true, names });
  parts.book.used(id, nowText());
  await parts.published();
  progress({ status: `Digest: ${remote.namedDigest}` });
  return changed;
}

interface Fetch {
  repository: Repository;
  keep: Keep;
  progress: Progress;
  signal: AbortSignal;
}

/** Of one pull: while one layer waits for the disk another computes. */
const UNPACKED_AT_ONCE = 2;

/** Downloads the layers side by side, and unpacks each when it is there and unpacking has come to the one below it. */
async function fetchLayers(
  manifest: Manifest,
  config: ImageConfig,
  { repository, keep, progress, signal }: Fetch,
  parts: PullParts,
): Promise<void> {
  const diffIds = config.rootfs.diff_ids ?? [];
  if (diffIds.length !== manifest.layers.length) throw invalid("layers from manifest don't match image configuration");
  const chains = chainIds(diffIds);
  for (const chainId of chains) keep.layers.add(chainId);
  // One that fails ends the others.
  const failure = new AbortController();
  const both = AbortSignal.any([signal, failure.signal]);
  const present = await Promise.all(
    manifest.layers.map(
      async (layer, index) => (await keep.blob(layer.digest)) && parts.layers.get(chains[index]!) !== undefined,
    ),
  );
  // Of an image that is here nothing is said but its digest.
  const whole = present.every(Boolean) && parts.book.byId(manifest.config.digest) !== undefined;
  for (const [index, layer] of whole ? [] : manifest.layers.entries())
    progress(layerLine(shortId(layer.digest), present[index] ? 'Already exists' : 'Pulling fs layer'));
  const downloads = manifest.layers.map((layer, index) =>
    present[index] ? Promise.resolve() : fetchBlob(layer, repository, keep, { signal: both, progress }, parts),
  );
  for (const download of downloads) download.catch((error: unknown) => failure.abort(error));
  const unpacking: Promise<void>[] = [];
  try {
    for (const [index, layer] of manifest.layers.entries()) {
      await downloads[index];
      if (present[index]) continue;
      await unpacking.at(-UNPACKED_AT_ONCE);
      const work = unpack(layer, { chains, diffIds, index }, { repository, keep, progress, signal: both }, parts);
      work.catch((error: unknown) => failure.abort(error));
      unpacking.push(work);
    }
    await Promise.all(unpacking);
  } catch (error) {
    const first = failure.signal.aborted && !signal.aborted ? failure.signal.reason : error;
    failure.abort(first);
    await Promise.allSettled([...downloads, ...unpacking]);
    throw first;
  }
}

async function unpack(
  layer: Descriptor,
  { chains, diffIds, index }: { chains: readonly string[]; diffIds: readonly string[]; index: number },
  { keep, progress, signal }: Fetch,
  { layers, content }: PullParts,
): Promise<void> {
  const id = shortId(layer.digest);
  const extracting = bar(progress, id, 'Extracting', layer.size);
  try {
    await layers.unpack(() => content.open(layer.digest), keep.layers, {
      parent: chains[index - 1],
      diffId: diffIds[index]!,
      signal,
      onProgress: extracting,
    });
  } catch (error) {
    if (signal.aborted) throw error;
    throw invalid(`failed to register layer: ${messageOf(error)}`, error);
  }
  progress(barLine(id, 'Extracting', layer.size, layer.size));
  progress(layerLine(id, 'Pull complete'));
}

async function fetchBlob(
  descriptor: Descriptor,
  repository: Repository,
  keep: Keep,
  { signal, progress }: { signal: AbortSignal; progress?: Progress },
  { downloads }: PullParts,
): Promise<void> {
  const id = shortId(descriptor.digest);
  if (!(await keep.blob(descriptor.digest))) {
    const onState = progress === undefined ? undefined : stateLines(progress, id, descriptor.size);
    await downloads.fetch(descriptor, repository, { signal, onState });
  }
  progress?.(layerLine(id, 'Download complete'));
}

function stateLines(progress: Progress, id: string, size: number): (state: DownloadState) => void {
  const downloading = bar(progress, id, 'Downloading', size);
  return (state) => {
    if (state.kind === 'bytes') downloading(state.current);
    else if (state.kind === 'waiting') progress(layerLine(id, 'Waiting'));
    else if (state.kind === 'verifying') progress(layerLine(id, 'Verifying Checksum'));
    else progress(layerLine(id, `Retrying in ${state.seconds} second${state.seconds === 1 ? '' : 's'}`));
  };
}
