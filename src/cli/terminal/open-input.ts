import { access, constants, stat } from 'node:fs/promises';
import { fileError } from '../file-errors.ts';

/** Fails early, with Docker's words, if a file cannot be read. */
export async function openInput(path: string): Promise<void> {
  try {
    await access(path, constants.R_OK);
    if ((await stat(path)).isDirectory()) throw Object.assign(new Error(path), { code: 'EISDIR' });
  } catch (error) {
    throw fileError(path, error);
  }
}
