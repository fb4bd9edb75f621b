import { conflict, notFound, shortId } from '../common/index.ts';
import { familiarName, familiarString, parseReference, withDefaultTag } from '../registry/index.ts';
import type { ImageDeleteItem } from '../wire/index.ts';
import type { ImageBook, StoredImage } from './book.ts';
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
  /** Also remove nameless parents. */
  prune?: boolean;
}

/** What stands against a deletion; `hard` is not overcome by force. */
interface Obstacle {
  hard: boolean;
  message: string;
}

/** `DELETE /images/{name}` (moby daemon/images/image_delete.go): a name is untagged, the image goes with its last name. */
export async function removeImage(
  ref: string,
  options: RemovalOptions,
  parts: RemovalParts,
): Promise<ImageDeleteItem[]> {
  const image = parts.book.resolve(ref);
  const records: ImageDeleteItem[] = [];
  if (isIdOf(ref, image)) {
    if (!removeNamesOf(image, options.force ?? false, records, parts)) return records;
  } else if (!untagOne(ref, image, options.force ?? false, records, parts)) return records;
  await deleteImage(image, options, { quiet: false }, records, parts);
  return records;
}

const namesOf = ({ repoTags, repoDigests }: StoredImage) => [...repoTags, ...repoDigests];
const repositoryOf = (name: string) => familiarName(parseReference(name));

/** By id: all names go if they are of one repository, or with force. True if the image is to go too. */
function removeNamesOf(image: StoredImage, force: boolean, records: ImageDeleteItem[], parts: RemovalParts): boolean {
  const repositories = new Set(namesOf(image).map(repositoryOf));
  const many = repositories.size > 1 || (repositories.size === 1 && image.repoTags.length > 1);
  if (many && !force) throw refusal(image, { hard: false, message: 'image is referenced in multiple repositories' });
  const obstacle = obstaclesOf(image, { withNames: false, force }, parts);
  if (obstacle !== undefined) throw refusal(image, obstacle);
  for (const name of namesOf(image)) untag(name, image, records, parts);
  return true;
}

/** By name. True if it was the last one. */
function untagOne(
  ref: string,
  image: StoredImage,
  force: boolean,
  records: ImageDeleteItem[],
  parts: RemovalParts,
): boolean {
  const { users } = parts;
  const reference = withDefaultTag(parseReference(ref));
  const name =
    reference.digest === undefined ? familiarString(reference) : `${familiarName(reference)}@${reference.digest}`;
  const names = namesOf(image);
  if (!names.includes(name)) throw notFound(`No such image: ${ref}`);
  const others = names.filter((other) => other !== name);
  // Digests of the same repository are no names of their own: they go with its last tag.
  const last = image.repoTags.includes(name)
    ? others.every((other) => image.repoDigests.includes(other) && repositoryOf(other) === repositoryOf(name))
    : others.length === 0;
  const [user] = users.containersOf(image.id);
  if (last && user !== undefined && !force)
    throw conflict(
      `conflict: unable to remove repository reference ${JSON.stringify(ref)} (must force) - container ${shortId(user.id)} is using its referenced image ${shortId(image.id)}`,
    );
  const tagged = image.repoTags.includes(name);
  untag(name, image, records, parts);
  const repository = repositoryOf(name);
  if (tagged && !image.repoTags.some((other) => repositoryOf(other) === repository))
    for (const other of image.repoDigests) if (repositoryOf(other) === repository) untag(other, image, records, parts);
  return namesOf(image).length === 0;
}

function untag(name: string, image: StoredImage, records: ImageDeleteItem[], { book, events }: RemovalParts): void {
  book.unname(name);
  records.push({ Untagged: name });
  events.of('untag', image);
}

const refusal = (image: StoredImage, { hard, message }: Obstacle) =>
  conflict(
    `conflict: unable to delete ${shortId(image.id)} (${hard ? 'cannot be forced' : 'must be forced'}) - ${message}`,
  );

/** Hard ones: children, running containers. Soft ones: names, stopped containers. */
function obstaclesOf(
  image: StoredImage,
  { withNames, force }: { withNames: boolean; force: boolean },
  { book, users }: RemovalParts,
): Obstacle | undefined {
  const using = users.containersOf(image.id);
  const running = using.find((user) => user.running);
  if (running !== undefined)
    return { hard: true, message: `image is being used by running container ${shortId(running.id)}` };
  if (force) return undefined;
  if (withNames && namesOf(image).length > 0)
    return { hard: false, message: 'image is referenced in one or more repositories' };
  const [stopped] = using;
  if (stopped !== undefined)
    return { hard: false, message: `image is being used by stopped container ${shortId(stopped.id)}` };
  return book.childrenOf(image.id).length > 0 && namesOf(image).length === 0
    ? { hard: true, message: 'image has dependent child images' }
    : undefined;
}

/** Deletes a nameless image, and up from it nameless parents. `quiet`: stops without a word where something stands against it. */
async function deleteImage(
  image: StoredImage,
  { force = false, prune = true }: RemovalOptions,
  { quiet }: { quiet: boolean },
  records: ImageDeleteItem[],
  parts: RemovalParts,
): Promise<void> {
  const { book, users, events, freeLayers } = parts;
  // Children keep the file system that they stand on; names are gone all the same.
  const children = book.childrenOf(image.id).length > 0;
  const obstacle = obstaclesOf(image, { withNames: true, force: force && !quiet }, parts);
  if (children || obstacle !== undefined) {
    // With a name just taken away the answer is what was done, as in Docker.
    if (quiet || records.length > 0 || children) return;
    if (obstacle !== undefined) throw refusal(image, obstacle);
  }
  if (users.containersOf(image.id).some(({ running }) => running)) return;
  const parent = image.parent === undefined ? undefined : book.byId(image.parent);
  book.remove(image.id);
  events.of('delete', image);
  records.push({ Deleted: image.id });
  for (const chainId of await freeLayers()) records.push({ Deleted: chainId });
  if (prune && parent !== undefined) await deleteImage(parent, { prune }, { quiet: true }, records, parts);
}
