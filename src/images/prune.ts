import { type Filters, isKind, parseRfc3339Ns } from '../common/index.ts';
import type { ImageDeleteItem } from '../wire/index.ts';
import { chainIds, type StoredImage } from './book.ts';
import { type RemovalParts, removeImage } from './removal.ts';

export interface PruneParts extends RemovalParts {
  /** Bytes of a layer, or 0. */
  layerSize: (chainId: string) => number;
}

/** `POST /images/prune`: nameless images, or with `dangling=false` all that no container uses. */
export async function pruneImages(
  filters: Filters,
  parts: PruneParts,
): Promise<{ ImagesDeleted: ImageDeleteItem[]; SpaceReclaimed: number }> {
  filters.allow(['dangling', 'until', 'label', 'label!']);
  const danglingOnly = filters.bool('dangling') ?? true;
  const until = filters.until();
  const { book, users } = parts;
  const sizes = new Map(
    book
      .all()
      .flatMap(({ diffIds }) => chainIds(diffIds).map((chainId) => [chainId, parts.layerSize(chainId)] as const)),
  );
  const old = ({ config }: StoredImage) =>
    until === undefined || (config.created !== undefined && parseRfc3339Ns(config.created) < until);
  const wanted = book.all().filter((image) => {
    // One that only digests name counts as nameless.
    if (danglingOnly && image.repoTags.length > 0) return false;
    if (image.repoTags.length + image.repoDigests.length === 0 && book.childrenOf(image.id).length > 0) return false;
    return users.containersOf(image.id).length === 0 && filters.labels(image.config.config?.Labels ?? {}) && old(image);
  });
  const deleted: ImageDeleteItem[] = [];
  for (const image of wanted) deleted.push(...(await removeWhole(image, parts)));
  const space = deleted.reduce((sum, { Deleted }) => sum + (sizes.get(Deleted ?? '') ?? 0), 0);
  return { ImagesDeleted: deleted, SpaceReclaimed: space };
}

/** An image with all of its names; what cannot go stays. */
export async function removeWhole(image: StoredImage, parts: RemovalParts): Promise<ImageDeleteItem[]> {
  const { book } = parts;
  const deleted: ImageDeleteItem[] = [];
  const names = [...image.repoTags, ...image.repoDigests];
  try {
    if (names.length === 0 && book.byId(image.id) !== undefined)
      deleted.push(...(await removeImage(image.id, {}, parts)));
    for (const name of names)
      if (book.named(name)?.id === image.id) deleted.push(...(await removeImage(name, {}, parts)));
  } catch (error) {
    if (!isKind(error, 'conflict') && !isKind(error, 'not-found')) throw error;
  }
  return deleted;
}
