import { type Filters, parseRfc3339Ns, untilNs } from '../common/index.ts';
import type { LayerStore } from '../layers/index.ts';
import { familiarName, parseReference } from '../registry/index.ts';
import type { ImageSummary } from '../wire/index.ts';
import { chainIds, type ImageBook, type StoredImage } from './book.ts';
import { globMatcher } from './glob.ts';
import type { ImageUsers } from './types.ts';

export interface ListingParts {
  book: ImageBook;
  layers: LayerStore;
  users: ImageUsers;
}

const KEYS = ['dangling', 'label', 'label!', 'before', 'since', 'reference', 'until'];
/** Go's zero time in Unix seconds, which Docker shows for an image without a date. */
const NO_TIME = -62135596800;

const secondsOf = (created: string | undefined): number => {
  const ms = created === undefined ? Number.NaN : Date.parse(created);
  return Number.isNaN(ms) ? NO_TIME : Math.floor(ms / 1000);
};
const createdNs = ({ config }: StoredImage): bigint =>
  config.created === undefined ? BigInt(NO_TIME) * 1_000_000_000n : parseRfc3339Ns(config.created);

/** Unpacked bytes of all layers of an image. */
export function sizeOf(image: StoredImage, layers: LayerStore): number {
  return chainIds(image.diffIds).reduce((sum, chainId) => sum + (layers.get(chainId)?.sizeBytes ?? 0), 0);
}

type Row = Pick<StoredImage, 'repoTags' | 'repoDigests'> & { image: StoredImage };

/** `GET /images/json`: newest first; nameless parents only with `all`. */
export async function listImages(
  options: { all?: boolean; filters: Filters; sharedSize?: boolean },
  { book, layers, users }: ListingParts,
): Promise<ImageSummary[]> {
  const { filters } = options;
  filters.allow(KEYS);
  const rows = selected(filters, book, options.all ?? false);
  rows.sort(
    (a, b) =>
      secondsOf(b.image.config.created) - secondsOf(a.image.config.created) || (a.image.id < b.image.id ? -1 : 1),
  );
  const counts = options.sharedSize ? sharing(book) : undefined;
  return rows.map(({ image, repoTags, repoDigests }) => ({
    Id: image.id,
    ParentId: image.parent ?? '',
    RepoTags: repoTags,
    RepoDigests: repoDigests,
    Created: secondsOf(image.config.created),
    Size: sizeOf(image, layers),
    SharedSize: counts === undefined ? -1 : sharedBytes(image, counts, layers),
    Labels: labelsOf(image),
    Containers: users.containersOf(image.id).length,
  }));
}

const labelsOf = ({ config }: StoredImage): Record<string, string> | null => {
  const labels = config.config?.Labels;
  return labels === undefined || Object.keys(labels).length === 0 ? null : labels;
};

function selected(filters: Filters, book: ImageBook, all: boolean): Row[] {
  const times = (key: string) => filters.get(key).map((ref) => createdNs(book.resolve(ref)));
  const [before, since] = [times('before'), times('since')];
  const until = filters.get('until').map(untilNs);
  const dangling = filters.bool('dangling');
  const matchers = filters.get('reference').map(referenceMatcher);
  const parents = new Set(book.all().map(({ parent }) => parent));
  const rows: Row[] = [];
  for (const image of book.all()) {
    const created = createdNs(image);
    if (!filters.labels(image.config.config?.Labels ?? {})) continue;
    if (
      before.some((limit) => created >= limit) ||
      since.some((limit) => created <= limit) ||
      until.some((limit) => created >= limit)
    )
      continue;
    const nameless = image.repoTags.length === 0 && image.repoDigests.length === 0;
    if (
      nameless ? (!all && parents.has(image.id)) || dangling === false : dangling === true && image.repoTags.length > 0
    )
      continue;
    const matches = (name: string) => matchers.length === 0 || matchers.some((match) => match(name));
    const [repoTags, repoDigests] = [image.repoTags.filter(matches), image.repoDigests.filter(matches)];
    if (matchers.length > 0 && repoTags.length === 0 && repoDigests.length === 0) continue;
    rows.push({ image, repoTags, repoDigests });
  }
  return rows;
}

/** distribution/reference FamiliarMatch: the pattern is held against the short name, with its tag or digest and without. */
function referenceMatcher(pattern: string): (name: string) => boolean {
  const match = globMatcher(pattern);
  return (name) => match(name) || match(familiarName(parseReference(name)));
}

/** How many images stand on each layer. */
function sharing(book: ImageBook): Map<string, number> {
  const counts = new Map<string, number>();
  for (const image of book.all())
    for (const chainId of chainIds(image.diffIds)) counts.set(chainId, (counts.get(chainId) ?? 0) + 1);
  return counts;
}

function sharedBytes(image: StoredImage, counts: ReadonlyMap<string, number>, layers: LayerStore): number {
  return chainIds(image.diffIds).reduce(
    (sum, chainId) => sum + ((counts.get(chainId) ?? 0) > 1 ? (layers.get(chainId)?.sizeBytes ?? 0) : 0),
    0,
  );
}

/** `GET /images/{name}/history`, newest first. */
export function historyOf(ref: string, { book, layers }: ListingParts) {
  const image = book.resolve(ref);
  const chains = chainIds(image.diffIds);
  let layer = 0;
  const rows = (image.config.history ?? []).map((entry) => ({
    Id: '<missing>',
    Created: secondsOf(entry.created),
    CreatedBy: entry.created_by ?? '',
    Tags: null as string[] | null,
    Size: entry.empty_layer ? 0 : (layers.get(chains[layer++] ?? '')?.sizeBytes ?? 0),
    Comment: entry.comment ?? '',
  }));
  rows.reverse();
  // Local parents have ids of their own.
  let at: StoredImage | undefined = image;
  for (const row of rows) {
    if (at === undefined) break;
    row.Id = at.id;
    row.Tags = at.repoTags.length === 0 ? null : at.repoTags;
    at = at.parent === undefined ? undefined : book.byId(at.parent);
  }
  return rows;
}
