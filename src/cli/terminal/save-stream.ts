import { createWriteStream, existsSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Answer } from '../../client/index.ts';
import type { Cli } from '../session.ts';
import { byteProgress } from './byte-progress.ts';
import { onInterrupt } from './on-interrupt.ts';

/**
 * Writes an answer's body to a file or, for an empty path, to stdout. A file appears under its name only when it is whole;
 * an interrupt leaves nothing behind.
 */
export async function saveStream(
  cli: Cli,
  path: string,
  what: string,
  open: (signal: AbortSignal) => Promise<Answer>,
): Promise<void> {
  if (path !== '') checkTarget(path, what);
  const abort = new AbortController();
  if (path === '') {
    const answer = await open(abort.signal);
    await pipeline(answer.body, cli.stdout, { end: false });
    return;
  }
  // A device or pipe is written as it is.
  const direct = existsSync(path) && !statSync(path).isFile();
  const temporary = direct ? path : `${path}.${process.pid}.tmp`;
  const clean = (): void => {
    if (!direct) rmSync(temporary, { force: true });
  };
  const off = onInterrupt(clean);
  try {
    const answer = await open(abort.signal);
    await pipeline(answer.body, byteProgress(cli, 'Saving'), createWriteStream(temporary, { mode: 0o600 }));
    if (!direct) renameSync(temporary, path);
  } catch (error) {
    abort.abort();
    clean();
    throw error;
  } finally {
    off();
  }
}

function checkTarget(path: string, what: string): void {
  if (!existsSync(dirname(path)))
    throw new Error(`${what}: invalid output path: stat ${dirname(path)}: no such file or directory`);
  if (existsSync(path) && statSync(path).isCharacterDevice())
    throw new Error(`${what}: cannot write to a character device file`);
  if (existsSync(path) && statSync(path).isDirectory()) throw new Error(`${what}: cannot write to a directory`);
}
