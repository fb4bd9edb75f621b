import { spawnSync } from 'node:child_process';
import type { Cli } from '../session.ts';
import { onInterrupt } from './on-interrupt.ts';

/** Puts the terminal into raw mode; the answer restores it. It is restored on every way out of the process, too. */
export function enterRawMode(cli: Cli): () => void {
  const { stdin } = cli;
  if (!stdin.isTTY) return () => {};
  stdin.setRawMode(true);
  // Node's raw mode still turns each line feed into two characters; a full-screen program in the container means it as it is.
  spawnSync('stty', ['-opost'], { stdio: ['inherit', 'ignore', 'ignore'] });
  const restore = (): void => {
    if (stdin.isTTY && stdin.isRaw) stdin.setRawMode(false);
  };
  process.once('exit', restore);
  const off = onInterrupt(restore);
  return () => {
    restore();
    process.off('exit', restore);
    off();
  };
}
