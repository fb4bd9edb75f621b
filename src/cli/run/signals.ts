/** What is passed on to a container without a terminal; the rest are Node's own (SIGURG, SIGPIPE) or cannot be caught. */
const FORWARDED: readonly NodeJS.Signals[] = [
  'SIGHUP',
  'SIGINT',
  'SIGQUIT',
  'SIGTERM',
  'SIGUSR2',
  'SIGALRM',
  'SIGCONT',
  'SIGTSTP',
  'SIGTTIN',
  'SIGTTOU',
  'SIGVTALRM',
];

/** Sends the signals that this process gets to a container. Returns what ends that. */
export function forwardSignals(kill: (signal: string) => Promise<unknown>): () => void {
  const send = (signal: NodeJS.Signals): void => {
    kill(signal).catch(() => {});
  };
  for (const signal of FORWARDED) process.on(signal, send);
  return () => {
    for (const signal of FORWARDED) process.off(signal, send);
  };
}
