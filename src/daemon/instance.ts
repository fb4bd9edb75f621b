import { createHash, randomUUID } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
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
  let id: string;
  try {
    id = readFileSync(path, 'utf8').trim();
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
    id = randomUUID();
    writeFileSync(path, id, { mode: 0o600 });
  }
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
