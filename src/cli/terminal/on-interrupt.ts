const ENDINGS: readonly NodeJS.Signals[] = ['SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGINT'];

/** Runs `clean` when a signal is about to end the program, which then ends as the signal would have ended it. Returns what calls that off. */
export function onInterrupt(clean: () => void): () => void {
  const off = (): void => {
    for (const name of ENDINGS) process.off(name, end);
  };
  const end = (signal: NodeJS.Signals): void => {
    clean();
    off();
    process.kill(process.pid, signal);
  };
  for (const name of ENDINGS) process.on(name, end);
  return off;
}
