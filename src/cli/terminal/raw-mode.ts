import { spawnSync } from 'node:child_process';
import type { Cli } from '../session.ts';

const ENDINGS: readonly NodeJS.Signals[] = ['SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGINT'];

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
  const die = (signal: NodeJS.Signals): void => {
    restore();
    // Ends as the signal would have ended it.
    for (const name of ENDINGS) process.removeListener(name, die);
    process.kill(process.pid, signal);
  };
  process.once('exit', restore);
  for (const name of ENDINGS) process.on(name, die);
  return () => {
    restore();
    process.off('exit', restore);
    for (const name of ENDINGS) process.off(name, die);
  };
}
