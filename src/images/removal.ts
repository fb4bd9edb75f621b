import { conflict, type Filters, isKind, notFound, parseTimestampNs, parseRfc3339Ns, shortId } from '../common/index.ts';
import { familiarName, familiarString, parseReference, withDefaultTag } from '../registry/index.ts';
import type { ImageDeleteItem } from '../wire/index.ts';
import { chainIds, type ImageBook, type StoredImage } from './book.ts';
import type { ListingParts } from './listing.ts';

export interface RemovalParts extends ListingParts {
  emit: (action: string, id: string, attributes: Record<string, string>) => void;
  /** Frees layers and blobs that nobody needs any more; returns the chains that went. */
  collect: () => Promise<{ bytes: number; layers: string[] }>;
}

const children = (book: ImageBook, id: string) => book.all().filter(({ parent }) => parent === id);

/** `DELETE /images/{name}` with Docker's order: a name is untagged; the image goes with its last name (moby daemon/images/image_delete.go). */
export async function removeImage(ref: string, options: { force?: boolean; prune?: boolean }, parts: RemovalParts): Promise<ImageDeleteItem[]> {
  const { book, users, emit } = parts;
  const image = book.resolve(ref);
  const records: ImageDeleteItem[] = [];
  const byId = isIdOf(ref, image);
  const using = users.containersOf(image.id);
  if (!byId) {
    const reference = withDefaultTag(parseReference(ref));
    const name = reference.digest === undefined ? familiarString(reference) : `${familiarName(reference)}@${reference.digest}`;
    const names = [...image.repoTags, ...image.repoDigests];
    if (!names.includes(name)) throw notFound(`No such image: ${ref}`);
    const last = names.length === 1 || (image.repoTags.length === 1 && image.repoTags[0] === name && sameRepositoryOnly(name, image.repoDigests));
    if (last && !options.force && using.length > 0) {
      const [user] = using;
      throw conflict(`conflict: unable to remove repository reference "${ref}" (must force) - container ${shortId(user!.id)} is using its referenced image ${shortId(image.id)}`);
    }
    untag(name, image, parts, records);
    if (!last) return records;
    for (const digest of [...image.repoDigests]) untag(digest, image, parts, records);
    if (using.length > 0) return records;
  } else {
    const repositories = new Set(image.repoTags.map((name) => familiarName(parseReference(name))));
    if (!options.force && (repositories.size > 1 || image.repoTags.length > 1)) {
      throw conflict(`conflict: unable to delete ${shortId(image.id)} (must be forced) - image is referenced in multiple repositories`);
    }
    const running = using.find((user) => user.running);
    if (running !== undefined) throw conflict(`conflict: unable to delete ${shortId(image.id)} (cannot be forced) - image is being used by running container ${shortId(running.id)}`);
    if (using.length > 0 && !options.force) throw conflict(`conflict: unable to delete ${shortId(image.id)} (must be forced) - image is being used by stopped container ${shortId(using[0]!.id)}`);
    if (children(book, image.id).length > 0 && !options.force && image.repoTags.length === 0) throw conflict(`conflict: unable to delete ${shortId(image.id)} (cannot be forced) - image has dependent child images`);
    for (const name of [...image.repoTags, ...image.repoDigests]) untag(name, image, parts, records);
    if (using.length > 0) return records;
  }
  if (children(book, image.id).length > 0) return records;
  deleteChain(image, options.prune !== false, parts, records);
  const own = new Set(chainIds(image.diffIds));
  const { layers } = await parts.collect();
  for (const chain of layers) if (own.has(chain)) records.push({ Deleted: chain });
  emit('delete', image.id, { name: image.id });
  return records;
}

function isIdOf(ref: string, image: StoredImage): boolean {
  const text = ref.replace(/^sha256:/, '');
  return /^[0-9a-f]+$/.test(text) && image.id.startsWith(`sha256:${text}`) && !image.repoTags.includes(`${ref}:latest`);
}

const sameRepositoryOnly = (name: string, digests: readonly string[]) => {
  const repository = familiarName(parseReference(name));
  return digests.every((digest) => familiarName(parseReference(digest)) === repository);
};

function untag(name: string, image: StoredImage, { book, emit }: RemovalParts, records: ImageDeleteItem[]): void {
  book.unname(name);
  records.push({ Untagged: name });
  emit('untag', image.id, { name: image.id });
}

/** The image and, with prune, its nameless parents that nobody else needs. */
function deleteChain(image: StoredImage, prune: boolean, parts: RemovalParts, records: ImageDeleteItem[]): void {
  const { book, users } = parts;
  let at: StoredImage | undefined = image;
  while (at !== undefined) {
    const parent: StoredImage | undefined = at.parent === undefined ? undefined : book.byId(at.parent);
    book.remove(at.id);
    records.push({ Deleted: at.id });
    const free: boolean = parent !== undefined && parent.repoTags.length === 0 && parent.repoDigests.length === 0 && children(book, parent.id).length === 0 && users.containersOf(parent.id).length === 0;
    at = prune && free ? parent : undefined;
  }
}

/** `POST /images/prune`: nameless images, or with `dangling=false` all that no container uses. */
export async function pruneImages(filters: Filters, parts: RemovalParts): Promise<{ ImagesDeleted: ImageDeleteItem[]; SpaceReclaimed: number }> {
  filters.allow(['dangling', 'until', 'label', 'label!']);
  const danglingOnly = filters.bool('dangling') ?? true;
  const until = filters.get('until').map((text) => parseTimestampNs(text));
  const deleted: ImageDeleteItem[] = [];
  const parents = new Set(parts.book.all().map(({ parent }) => parent));
  const before = measure(parts);
  for (const image of parts.book.all()) {
    const nameless = image.repoTags.length === 0 && image.repoDigests.length === 0;
    if (danglingOnly ? !nameless || parents.has(image.id) : parts.users.containersOf(image.id).length > 0) continue;
    if (parts.users.containersOf(image.id).length > 0 || !filters.labels(image.config.config?.Labels ?? {})) continue;
    if (until.some((limit) => image.config.created === undefined || parseRfc3339Ns(image.config.created) > limit)) continue;
    if (parts.book.byId(image.id) === undefined) continue;
    try {
      const names = [...image.repoTags, ...image.repoDigests];
      if (names.length === 0) deleted.push(...(await removeImage(image.id, { prune: true }, parts)));
      else for (const name of names) if (parts.book.find(name) !== undefined) deleted.push(...(await removeImage(name, { prune: true }, parts)));
    } catch (error) {
      if (!isKind(error, 'conflict') && !isKind(error, 'not-found')) throw error;
    }
  }
  return { ImagesDeleted: deleted, SpaceReclaimed: Math.max(0, before - measure(parts)) };
}

/** Bytes of all layers on disk. */
const measure = ({ layers }: RemovalParts): number => layers.list().reduce((sum, layer) => sum + layer.sizeBytes, 0);
