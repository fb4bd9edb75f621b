import { spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';

/** What conmon says on its sync pipe, line by line: first the pid (or a negative number and why), for an exec then the exit code. */
export interface ConmonAnswer {
  data: number;
  message?: string;
}

export interface Conmon {
  /** The next answer; undefined when conmon closed its pipe without one. */
  next(): Promise<ConmonAnswer | undefined>;
  /** With `execAttach`: resolves when the attach socket is there. */
  attachable(): Promise<void>;
  /** With `execAttach`: lets the process begin. */
  go(): void;
  /** What conmon itself complained of. */
  complaint(): string;
  /** Stops listening; conmon lives on. */
  release(): void;
}

async function* lines(input: Readable): AsyncGenerator<string> {
  let rest = '';
  for await (const chunk of input) {
    rest += String(chunk);
    for (let end = rest.indexOf('\n'); end >= 0; end = rest.indexOf('\n')) {
      yield rest.slice(0, end);
      rest = rest.slice(end + 1);
    }
  }
  if (rest !== '') yield rest;
}

const COMPLAINT_BYTES = 16384;

/** Starts conmon in `bundle`. It forks away at once, so its own exit code says nothing; the pipes do (conmon.8, src/parent_pipe_fd.c). */
export function startConmon(path: string, args: readonly string[], bundle: string, execAttach = false): Conmon {
  const child = spawn(path, args, {
    stdio: ['ignore', 'ignore', 'pipe', 'pipe', ...(execAttach ? (['pipe', 'pipe'] as const) : [])],
    cwd: bundle,
    detached: true,
    env: {
      PATH: process.env.PATH,
      _OCI_SYNCPIPE: '3',
      ...(execAttach ? { _OCI_STARTPIPE: '4', _OCI_ATTACHPIPE: '5' } : {}),
    },
  });
  const pipes: readonly (Readable | Writable | null | undefined)[] = child.stdio;
  let complaint = '';
  const failed = new Promise<never>((_, reject) => child.once('error', reject));
  failed.catch(() => {});
  child.stderr?.on('data', (chunk: Buffer) => {
    if (complaint.length < COMPLAINT_BYTES) complaint += chunk;
  });
  for (const stream of child.stdio) stream?.on('error', () => {});
  const sync = lines(pipes[3] as Readable);
  // conmon reads its start pipe twice: before it forks, so that a parent may move it, and before the runtime's exec (conmon.c).
  if (execAttach) (pipes[4] as Writable).write('\0');
  child.unref();
  return {
    async next() {
      const { value, done } = await Promise.race([sync.next(), failed]);
      return done === true ? undefined : (JSON.parse(value) as ConmonAnswer);
    },
    async attachable() {
      await Promise.race([lines(pipes[5] as Readable).next(), failed]);
    },
    go: () => void (pipes[4] as Writable).write('\0'),
    complaint: () => complaint,
    release() {
      for (const stream of child.stdio) stream?.destroy();
    },
  };
}
