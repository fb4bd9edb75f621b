import { demultiplex, type Hijacked, write } from '../../client/index.ts';
import type { Cli } from '../session.ts';
import { DEFAULT_DETACH_KEYS, DetachFilter, parseDetachKeys } from '../terminal/detach-keys.ts';
import { enterRawMode } from '../terminal/raw-mode.ts';

export interface JoinOptions {
  stdin: boolean;
  tty: boolean;
  detachKeys: string;
}

export interface Joined {
  /** Resolves when the process's output has ended, or the person has detached. */
  done: Promise<'ended' | 'detached'>;
  /** Gives the terminal back. */
  release(): void;
}

/** The keys for a command: `--detach-keys`, else config.json's, else Docker's default. Throws Error if they make no sense. */
export function detachKeysFor(cli: Cli, given: string): string {
  const keys = given || cli.config.data.detachKeys || '';
  if (keys !== '') parseDetachKeys(keys);
  return keys;
}

/** Connects the terminal (or pipes) with a hijacked stream. */
export function joinStreams(cli: Cli, hijacked: Hijacked, options: JoinOptions): Joined {
  const { stream } = hijacked;
  const raw = options.tty && options.stdin ? enterRawMode(cli) : () => {};
  let detach = (): void => {};
  const detached = new Promise<'detached'>((resolve) => {
    detach = () => resolve('detached');
  });
  const stopInput = options.stdin ? sendInput(cli, hijacked, options, detach) : () => {};
  const output = readOutput(cli, hijacked, options.tty).then(
    () => 'ended' as const,
    (error: NodeJS.ErrnoException) => {
      // The daemon's side may be reset when the container goes; what it wrote has been read by then.
      if (error.code === 'ECONNRESET' || error.code === 'ERR_STREAM_PREMATURE_CLOSE') return 'ended' as const;
      throw error;
    },
  );
  const release = (): void => {
    stopInput();
    raw();
    stream.destroy();
  };
  return { done: Promise.race([output, detached]), release };
}

async function readOutput(cli: Cli, { stream, contentType }: Hijacked, tty: boolean): Promise<void> {
  const framed =
    contentType === 'application/vnd.docker.multiplexed-stream' || (!tty && !contentType.includes('multiplexed'));
  if (framed && !tty) return demultiplex(stream, cli.stdout, cli.stderr);
  for await (const chunk of stream) await write(cli.stdout, chunk as Buffer);
}

/** Sends what is typed; at the end of input the stream is half-closed. Returns what stops it. */
function sendInput(cli: Cli, { stream }: Hijacked, options: JoinOptions, detach: () => void): () => void {
  const { stdin } = cli;
  const filter = options.tty ? new DetachFilter(parseDetachKeys(options.detachKeys || DEFAULT_DETACH_KEYS)) : undefined;
  // Text where the live view of `gantry top` has read before, which sets an encoding for good.
  const take = (chunk: Buffer | string): void => {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    const { pass, detached } = filter ? filter.feed(bytes) : { pass: bytes, detached: false };
    if (pass.length > 0 && stream.writable && !stream.write(pass)) {
      stdin.pause();
      stream.once('drain', () => stdin.resume());
    }
    if (detached) detach();
  };
  const end = (): void => {
    stream.end();
  };
  stream.on('error', () => {});
  stdin.on('data', take);
  stdin.on('end', end);
  stdin.on('error', end);
  stdin.resume();
  return () => {
    stdin.off('data', take);
    stdin.off('end', end);
    stdin.pause();
  };
}
