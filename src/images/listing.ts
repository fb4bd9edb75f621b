import { type Filters, invalid, parseRfc3339Ns, parseTimestampNs } from '../common/index.ts';
import type { LayerStore } from '../layers/index.ts';
import { familiarName, parseReference } from '../registry/index.ts';
import type { ImageSummary } from '../wire/index.ts';
import { chainIds, type ImageBook, type StoredImage } from './book.ts';
import type { ImageUsers } from './types.ts';

export interface ListingParts {
  book: ImageBook;
  layers: LayerStore;
  users: ImageUsers;
}

const KEYS = ['dangling', 'label', 'label!', 'before', 'since', 'reference', 'until'];
/** Go's zero time in Unix seconds, which Docker shows for an image without a date. */
const NO_TIME = -62135596800;

export const createdSeconds = (image: StoredImage): number => (image.config.created === undefined ? NO_TIME : Math.floor(Date.parse(image.config.created) / 1000));

/** Unpacked bytes of all layers of an image. */
export function sizeOf(image: StoredImage, layers: LayerStore): number {
  return chainIds(image.diffIds).reduce((sum, chain) => sum + (layers.get(chain)?.sizeBytes ?? 0), 0);
}

/** Go's path.Match over a name, with `*` not crossing slashes. */
function glob(pattern: string): RegExp {
  let source = '';
  for (let i = 0; i < pattern.length; i++) {
    const char = pattern[i]!;
    if (char === '*') source += '[^/]*';
    else if (char === '?') source += '[^/]';
    else if (char === '[') {
      const end = pattern.indexOf(']', i);
      if (end < 0) throw invalid(`syntax error in pattern: ${pattern}`);
      source += pattern.slice(i, end + 1);
      i = end;
    } else source += char.replace(/[.+^${}()|\\]/g, '\\$&');
  }
  return new RegExp(`^${source}$`);
}

function matchesReference(name: string, pattern: string): boolean {
  const reference = parseReference(name);
  const familiar = familiarName(reference);
  const candidates = [familiar, `${reference.domain}/${reference.path}`];
  const withTag = reference.tag === undefined ? [] : candidates.map((text) => `${text}:${reference.tag}`);
  const expression = glob(pattern);
  return [...candidates, ...withTag].some((text) => expression.test(text));
}

const parentIds = (book: ImageBook): Set<string> => new Set(book.all().flatMap(({ parent }) => (parent === undefined ? [] : [parent])));

/** `GET /images/json`: newest first; intermediate images only with `all`. */
export async function listImages(options: { all?: boolean; filters: Filters; sharedSize?: boolean }, parts: ListingParts): Promise<ImageSummary[]> {
  const { filters } = options;
  const { book, layers, users } = parts;
  filters.allow(KEYS);
  const created = (ref: string) => createdSeconds(book.resolve(ref));
  const before = filters.has('before') ? Math.min(...filters.get('before').map(created)) : undefined;
  const since = filters.has('since') ? Math.max(...filters.get('since').map(created)) : undefined;
  const until = filters.get('until').map((text) => parseTimestampNs(text));
  const dangling = filters.bool('dangling');
  const parents = parentIds(book);
  const rows: { image: StoredImage; tags: string[]; digests: string[] }[] = [];
  for (const image of book.all()) {
    if (!filters.labels(image.config.config?.Labels ?? {})) continue;
    if (before !== undefined && createdSeconds(image) >= before) continue;
    if (since !== undefined && createdSeconds(image) <= since) continue;
    if (until.some((limit) => image.config.created === undefined || parseRfc3339Ns(image.config.created) > limit)) continue;
    let tags = image.repoTags;
    let digests = image.repoDigests;
    const nameless = tags.length === 0 && digests.length === 0;
    if (filters.has('reference')) {
      const wanted = (name: string) => filters.get('reference').some((pattern) => matchesReference(name, pattern));
      tags = tags.filter(wanted);
      digests = digests.filter(wanted);
      if (tags.length === 0 && digests.length === 0) continue;
    }
    if (nameless) {
      if (!options.all && parents.has(image.id)) continue;
      if (dangling === false) continue;
    } else if (dangling === true) continue;
    rows.push({ image, tags, digests });
  }
  rows.sort((a, b) => createdSeconds(b.image) - createdSeconds(a.image) || (a.image.id < b.image.id ? -1 : 1));
  const shared = options.sharedSize ? sharing(book) : undefined;
  return rows.map(({ image, tags, digests }) => ({
    Id: image.id,
    ParentId: image.parent ?? '',
    RepoTags: tags,
    RepoDigests: digests,
    Created: createdSeconds(image),
    Size: sizeOf(image, layers),
    SharedSize: shared === undefined ? -1 : chainIds(image.diffIds).reduce((sum, chain) => sum + ((shared.get(chain) ?? 0) > 1 ? (layers.get(chain)?.sizeBytes ?? 0) : 0), 0),
    Labels: image.config.config?.Labels ?? null,
    Containers: options.sharedSize ? users.containersOf(image.id).length : -1,
  }));
}

/** How many images stand on each layer. */
export function sharing(book: ImageBook): Map<string, number> {
  const counts = new Map<string, number>();
  for (const image of book.all()) for (const chain of chainIds(image.diffIds)) counts.set(chain, (counts.get(chain) ?? 0) + 1);
  return counts;
}

/** `GET /images/{name}/history`, newest first. */
export function historyOf(ref: string, { book, layers }: ListingParts) {
  const image = book.resolve(ref);
  const chains = chainIds(image.diffIds);
  const entries = image.config.history ?? [];
  const rows: { Id: string; Created: number; CreatedBy: string; Tags: string[] | null; Size: number; Comment: string }[] = [];
  let layer = 0;
  for (const entry of entries) {
    const size = entry.empty_layer ? 0 : (layers.get(chains[layer++] ?? '')?.sizeBytes ?? 0);
    rows.push({ Id: '<missing>', Created: entry.created === undefined ? NO_TIME : Math.floor(Date.parse(entry.created) / 1000), CreatedBy: entry.created_by ?? '', Tags: null, Size: size, Comment: entry.comment ?? '' });
  }
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
