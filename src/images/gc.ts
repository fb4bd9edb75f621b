import { statfs } from 'node:fs/promises';
import { Filters, humanSize, type Logger, messageOf, nowText } from '../common/index.ts';
import type { ContentStore } from '../content/index.ts';
import type { LayerStore } from '../layers/index.ts';
import type { ImageBook, StoredImage } from './book.ts';
import type { ImageEvents } from './events.ts';
import type { GcPolicy } from './gc-policy.ts';
import { removeWhole } from './prune.ts';
import type { RemovalParts } from './removal.ts';
import type { ImageStore, ImageUsers } from './types.ts';

export interface CleaningParts extends RemovalParts {
  book: ImageBook;
  content: ContentStore;
  layers: LayerStore;
  users: ImageUsers;
  events: ImageEvents;
  collect: () => Promise<{ bytes: number }>;
  /** A path on the file system whose free space counts. */
  place: string;
}

/** Who pulls an image is about to use it. */
export const GRACE_MS = 10 * 60 * 1000;

export interface Cleaned {
  images: string[];
  bytes: number;
  /** Which limit asked for it; undefined: none. */
  reason: 'maxAge' | 'maxUsed' | 'minFree' | undefined;
}

/** One clean-up: images that nobody uses go, longest unused first, until every limit is kept. */
export async function cleanByPolicy(
  policy: GcPolicy,
  parts: CleaningParts,
  { graceMs = GRACE_MS }: { graceMs?: number } = {},
): Promise<Cleaned> {
  const { book, users, collect } = parts;
  const now = Date.now();
  for (const image of book.all()) if (users.containersOf(image.id).length > 0) book.used(image.id, nowText());
  const cleaned: Cleaned = { images: [], bytes: 0, reason: undefined };
  for (const image of candidates(policy, parts, now - graceMs)) {
    const reason = await reasonFor(image, policy, parts, now);
    // The rest was used later still, and the space suffices.
    if (reason === undefined) break;
    if (users.containersOf(image.id).length > 0 || book.byId(image.id) === undefined) continue;
    await removeWhole(image, parts);
    if (book.byId(image.id) !== undefined) continue;
    cleaned.images.push(image.id);
    cleaned.reason ??= reason;
    cleaned.bytes += (await collect()).bytes;
  }
  return cleaned;
}

const lastUse = (image: StoredImage): number =>
  Math.max(...[image.usedAt, image.taggedAt].map((at) => (at === undefined ? 0 : Date.parse(at))));

/** Images without containers, children and keeping labels, not used since `before`; longest unused first. */
function candidates({ keepLabels }: GcPolicy, { book, users }: CleaningParts, before: number): StoredImage[] {
  const kept = (image: StoredImage) =>
    keepLabels.some((label) => new Filters([['label', [label]]]).labels(image.config.config?.Labels ?? {}));
  return book
    .all()
    .filter(
      (image) =>
        users.containersOf(image.id).length === 0 &&
        book.childrenOf(image.id).length === 0 &&
        !kept(image) &&
        lastUse(image) <= before,
    )
    .sort((a, b) => lastUse(a) - lastUse(b));
}

async function reasonFor(
  image: StoredImage,
  policy: GcPolicy,
  parts: CleaningParts,
  now: number,
): Promise<Cleaned['reason']> {
  if (policy.maxAgeMs !== undefined && now - lastUse(image) > policy.maxAgeMs) return 'maxAge';
  if (policy.maxUsedBytes !== undefined && (await usedBytes(parts)) > policy.maxUsedBytes) return 'maxUsed';
  const { bavail, blocks, bsize } = await statfs(parts.place);
  const least =
    policy.minFreeBytes ?? (policy.minFreeShare === undefined ? undefined : policy.minFreeShare * blocks * bsize);
  return least !== undefined && bavail * bsize < least ? 'minFree' : undefined;
}

export async function usedBytes({ layers, content }: Pick<CleaningParts, 'layers' | 'content'>): Promise<number> {
  let bytes = layers.list().reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  for await (const { size } of content.list()) bytes += size;
  return bytes;
}

/** Cleans up now and then until stopped; what it did is an event (`image prune`) and a log line. `policy` is asked each time: a reload may change it. */
export function startGc({
  images,
  policy,
  log,
}: {
  images: Pick<ImageStore, 'clean'>;
  policy: () => GcPolicy | undefined;
  log: Logger;
}): { stop: () => void } {
  /** How often a policy that is off is looked for. */
  const idleMs = 60_000;
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  const next = () => {
    if (stopped) return;
    timer = setTimeout(() => void pass(), policy()?.intervalMs ?? idleMs);
    timer.unref();
  };
  const pass = async () => {
    const wanted = policy();
    try {
      if (wanted !== undefined) {
        const { images: removed, bytes, reason } = await images.clean(wanted);
        if (removed.length > 0)
          log.info(`gc removed ${removed.length} images, ${humanSize(bytes)}`, { reason, images: removed.join(' ') });
      }
    } catch (error) {
      log.error('gc', { error: messageOf(error) });
    }
    next();
  };
  next();
  return {
    stop: () => {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
