import { access, constants } from 'node:fs/promises';
import { fileError } from '../file-errors.ts';

/** Fails early, with Docker's words, if a file cannot be read. */
export async function openInput(path: string): Promise<void> {
  try {
    await access(path, constants.R_OK);
  } catch (error) {
    throw fileError(path, error);
  }
}
