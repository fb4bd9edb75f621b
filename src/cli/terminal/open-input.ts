import { access, constants } from 'node:fs/promises';

/** Fails early, with Docker's words, if a file cannot be read. */
export async function openInput(path: string): Promise<void> {
  try {
    await access(path, constants.R_OK);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    throw new Error(
      `open ${path}: ${code === 'ENOENT' ? 'no such file or directory' : code === 'EACCES' ? 'permission denied' : (error as Error).message}`,
    );
  }
}
