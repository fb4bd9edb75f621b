import { invalid } from '../common/index.ts';
import { textOf } from './names.ts';

/** How layer archives say "gone" (OCI image-spec 1.1, layer.md, "Whiteouts"). */
const PREFIX = '.wh.';
/** aufs's own records; every engine drops them. */
const META_PREFIX = '.wh..wh.';
export const OPAQUE_NAME = '.wh..wh..opq';

export const whiteoutName = (name: string): string => `${PREFIX}${name}`;

export type Whiteout = { kind: 'opaque' } | { kind: 'remove'; name: string } | { kind: 'ignore' };

/**
 * What an entry's path means. Undefined: an ordinary entry. Throws invalid for a whiteout of the root or of nothing, and for a
 * whiteout used as a directory.
 */
export function whiteoutOf(path: readonly string[]): Whiteout | undefined {
  const name = path.at(-1) ?? '';
  const meta = path.findIndex((part) => part.startsWith(META_PREFIX));
  if (meta >= 0 && !(meta === path.length - 1 && name === OPAQUE_NAME)) return { kind: 'ignore' };
  if (path.slice(0, -1).some((part) => part.startsWith(PREFIX)))
    throw invalid(`archive entry ${textOf(path.join('/'))}: a whiteout cannot hold anything`);
  if (name === OPAQUE_NAME) return { kind: 'opaque' };
  if (!name.startsWith(PREFIX)) return undefined;
  const removed = name.slice(PREFIX.length);
  if (removed === '' || removed === '.' || removed === '..')
    throw invalid(`archive entry ${textOf(path.join('/'))}: a whiteout of a directory's own name is refused`);
  return { kind: 'remove', name: removed };
}
