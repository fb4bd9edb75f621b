import { mkdirSync } from 'node:fs';
import { readdir, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isErrno } from '../../common/index.ts';
import { MS, mount, unmount } from '../../sys/index.ts';

/** Where a shareable container's /dev/shm lies, so that others can bind it. */
export const shmDirectory = (execRoot: string, id: string): string => join(execRoot, 'shm', id);

export function makeShm(execRoot: string, id: string, sizeBytes: number): string {
  const directory = shmDirectory(execRoot, id);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  mount('shm', directory, 'tmpfs', MS.NOSUID | MS.NODEV | MS.NOEXEC, `mode=1777,size=${sizeBytes}`);
  return directory;
}

/** Not an error if there is none. */
export async function dropShm(execRoot: string, id: string): Promise<void> {
  const directory = shmDirectory(execRoot, id);
  try {
    unmount(directory);
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return;
    if (!isErrno(error, 'EINVAL')) throw error;
  }
  await rmdir(directory);
}

/** Containers that have one on this machine. */
export const shmOwners = (execRoot: string): Promise<string[]> => readdir(join(execRoot, 'shm')).catch(() => []);
