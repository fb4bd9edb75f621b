import { renameSync } from 'node:fs';
import { removeTree } from '../archive/index.ts';
import { isErrno } from '../common/index.ts';
import type { Places } from './places.ts';

/** Takes a directory out of sight at once; deleting it can be left half done, the next start goes on. */
export function setAside(places: Places, path: string): string | undefined {
  const passing = places.passingName();
  try {
    renameSync(path, passing);
    return passing;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}

export async function discard(places: Places, path: string): Promise<void> {
  const aside = setAside(places, path);
  if (aside !== undefined) await removeTree(aside);
}
