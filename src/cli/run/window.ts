import type { Cli } from '../session.ts';

/** [height, width] of the terminal that the output goes to, or nothing. */
export function windowSize(cli: Cli): [number, number] | undefined {
  const { stdout } = cli;
  return stdout.isTTY && stdout.rows > 0 && stdout.columns > 0 ? [stdout.rows, stdout.columns] : undefined;
}

/** Tells the container of each change of the window's size. Returns what ends that. */
export function followWindow(cli: Cli, resize: (height: number, width: number) => Promise<unknown>): () => void {
  const tell = (): void => {
    const size = windowSize(cli);
    // The process may be gone already; its size matters to nobody then.
    if (size) resize(...size).catch(() => {});
  };
  cli.stdout.on('resize', tell);
  return () => {
    cli.stdout.off('resize', tell);
  };
}
