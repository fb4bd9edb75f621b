/**
 * What is passed on to a container without a terminal, as docker/cli's ForwardAllSignals: all but SIGCHLD, SIGPIPE and SIGURG, and but those
 * of the processor (SIGSEGV and its kin) and of Node's profiler, which say something of this process. A listener takes SIGUSR1 from Node's
 * debugger.
 */
const FORWARDED: readonly NodeJS.Signals[] = [
  'SIGHUP',
  'SIGINT',
  'SIGQUIT',
  'SIGTERM',
  'SIGABRT',
  'SIGUSR1',
  'SIGUSR2',
  'SIGALRM',
  'SIGCONT',
  'SIGTSTP',
  'SIGTTIN',
  'SIGTTOU',
  'SIGVTALRM',
  'SIGWINCH',
  'SIGIO',
  'SIGPWR',
  'SIGSYS',
  'SIGTRAP',
  'SIGXCPU',
  'SIGXFSZ',
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
