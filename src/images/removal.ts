import { conflict, type EngineError, notFound, shortId } from '../common/index.ts';
import { familiarName, familiarString, parseReference, withDefaultTag } from '../registry/index.ts';
import type { ImageDeleteItem } from '../wire/index.ts';
import { chainIds, type ImageBook, type StoredImage } from './book.ts';
import type { ImageEvents } from './events.ts';
import { isIdOf } from './save.ts';
import type { ImageUsers } from './types.ts';

export interface RemovalParts {
  book: ImageBook;
  users: ImageUsers;
  events: ImageEvents;
  /** Removes layers that nobody needs any more; their chain ids. */
  freeLayers: () => Promise<string[]>;
}

export interface RemovalOptions {
  force?: boolean;
  /** Also remove nameless parents. Default: yes. */
  prune?: boolean;
}

/** What may stand against a deletion; the order is that of the looking (moby daemon/images/image_delete.go). */
type Check = 'children' | 'running' | 'names' | 'stopped';
const HARD: readonly Check[] = ['children', 'running'];

const namesOf = ({ repoTags, repoDigests }: StoredImage) => [...repoTags, ...repoDigests];
const repositoryOf = (name: string) => familiarName(parseReference(name));

/** `DELETE /images/{name}`: a name is untagged, the image goes with its last name. */
export async function removeImage(
  ref: string,
  options: RemovalOptions,
  parts: RemovalParts,
): Promise<ImageDeleteItem[]> {
  const image = parts.book.resolve(ref);
  const records: ImageDeleteItem[] = [];
  const byName = !isIdOf(ref, image);
  if (byName) {
    untagOne(ref, image, options, records, parts);
    if (namesOf(image).length > 0) return records;
  } else if (isSingle(image)) {
    const obstacle = obstacleTo(image, options.force ? HARD : ['children', 'running', 'stopped'], parts);
    if (obstacle !== undefined) throw obstacle;
    for (const name of namesOf(image)) untag(name, image, records, parts);
  }
  await deleteImage(image, options, { quiet: byName }, records, parts);
  return records;
}

/** At most one tag, and all names of one repository: then the image and its name are the same to people. */
function isSingle(image: StoredImage): boolean {
  if (namesOf(image).length <= 1) return true;
  return image.repoTags.length <= 1 && new Set(namesOf(image).map(repositoryOf)).size === 1;
}

function untagOne(
  ref: string,
  image: StoredImage,
  { force }: RemovalOptions,
  records: ImageDeleteItem[],
  parts: RemovalParts,
): void {
  const [user] = parts.users.containersOf(image.id);
  if (!force && user !== undefined && isSingle(image))
    throw conflict(
      `conflict: unable to remove repository reference ${JSON.stringify(ref)} (must force) - container ${shortId(user.id)} is using its referenced image ${shortId(image.id)}`,
    );
  const reference = withDefaultTag(parseReference(ref));
  const name =
    reference.digest === undefined ? familiarString(reference) : `${familiarName(reference)}@${reference.digest}`;
  if (!namesOf(image).includes(name)) throw notFound(`No such image: ${ref}`);
  untag(name, image, records, parts);
  // Digests of a repository are no names of their own: they go with its last tag.
  const repository = repositoryOf(name);
  if (reference.digest !== undefined || image.repoTags.some((tag) => repositoryOf(tag) === repository)) return;
  for (const digest of image.repoDigests.filter((known) => repositoryOf(known) === repository)) {
    parts.book.unname(digest);
    records.push({ Untagged: digest });
  }
}

function untag(name: string, image: StoredImage, records: ImageDeleteItem[], { book, events }: RemovalParts): void {
  book.unname(name);
  records.push({ Untagged: name });
  events.of('untag', image);
}

function obstacleTo(
  image: StoredImage,
  checks: readonly Check[],
  { book, users }: RemovalParts,
): EngineError | undefined {
  const using = users.containersOf(image.id);
  const found: Record<Check, string | undefined> = {
    children: book.childrenOf(image.id).length > 0 ? 'image has dependent child images' : undefined,
    running: userOf(using, true, 'image is being used by running container'),
    names: namesOf(image).length > 0 ? 'image is referenced in multiple repositories' : undefined,
    stopped: userOf(using, false, 'image is being used by stopped container'),
  };
  const check = checks.find((each) => found[each] !== undefined);
  if (check === undefined) return undefined;
  const how = HARD.includes(check) ? 'cannot be forced' : 'must be forced';
  return conflict(`conflict: unable to delete ${shortId(image.id)} (${how}) - ${found[check]}`);
}

function userOf(
  using: readonly { id: string; running: boolean }[],
  running: boolean,
  text: string,
): string | undefined {
  const user = using.find((each) => each.running === running);
  return user === undefined ? undefined : `${text} ${shortId(user.id)}`;
}

/** Deletes an image with the names that it has left, and up from it nameless parents. `quiet`: stays without a word where something stands against it. */
async function deleteImage(
  image: StoredImage,
  { force = false, prune = true }: RemovalOptions,
  { quiet }: { quiet: boolean },
  records: ImageDeleteItem[],
  parts: RemovalParts,
): Promise<void> {
  const obstacle = obstacleTo(image, force ? HARD : ['children', 'running', 'names', 'stopped'], parts);
  if (obstacle !== undefined) {
    if (quiet) return;
    throw obstacle;
  }
  for (const name of namesOf(image)) untag(name, image, records, parts);
  const parent = image.parent === undefined ? undefined : parts.book.byId(image.parent);
  parts.book.remove(image.id);
  parts.events.of('delete', image);
  records.push({ Deleted: image.id });
  // What a container left behind may go in the same breath; it is no part of the image.
  const own = new Set(chainIds(image.diffIds));
  for (const chainId of await parts.freeLayers()) if (own.has(chainId)) records.push({ Deleted: chainId });
  if (prune && parent !== undefined) await deleteImage(parent, { prune }, { quiet: true }, records, parts);
}
