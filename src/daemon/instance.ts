import { createHash, randomUUID } from 'node:crypto';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { isErrno } from '../common/index.ts';

export interface Instance {
  /** `ID` of /info, the same for the life of the data root. */
  id: string;
  /**
   * What tells the bridges, tables and cgroups of several daemons on one machine apart: '' for the default data root,
   * else eight digits made from the root's path and the file's id.
   */
  suffix: string;
}

export const DEFAULT_DATA_ROOT = '/var/lib/gantry';

export function openInstance(dataRoot: string): Instance {
  const path = `${dataRoot}/engine-id`;
  const id = readId(path) || makeId(path);
  const isDefault = resolve(dataRoot) === DEFAULT_DATA_ROOT;
  return {
    id,
    suffix: isDefault
      ? ''
      : createHash('sha256')
          .update(`${resolve(dataRoot)}\0${id}`)
          .digest('hex')
          .slice(0, 8),
  };
}

function readId(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return '';
    throw error;
  }
}

/** Whole or not at all: everything on this machine is named after it. */
function makeId(path: string): string {
  const id = randomUUID();
  writeFileSync(`${path}.new`, id, { mode: 0o600, flush: true });
  renameSync(`${path}.new`, path);
  return id;
}
