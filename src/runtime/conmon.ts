import type { Readable } from 'node:stream';
import { messageOf, unavailable } from '../common/index.ts';
import { spawnPiped } from '../sys/index.ts';

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
  let complaint = '';
  let child: ReturnType<typeof spawnPiped>;
  try {
    child = spawnPiped(path, args, {
      env: [
        `PATH=${process.env.PATH}`,
        '_OCI_SYNCPIPE=3',
        ...(execAttach ? ['_OCI_STARTPIPE=4', '_OCI_ATTACHPIPE=5'] : []),
      ],
      cwd: bundle,
      session: true,
      pipes: ['null', 'null', 'out', 'out', ...(execAttach ? (['in', 'out'] as const) : [])],
    });
  } catch (error) {
    throw unavailable(`${path}: ${messageOf(error)}`);
  }
  const [, , words, answers, gate, ready] = child.streams;
  for (const stream of child.streams) stream?.on('error', () => {});
  words?.on('data', (chunk: Buffer) => {
    if (complaint.length < COMPLAINT_BYTES) complaint += chunk;
  });
  const sync = lines(answers!);
  // conmon reads its start pipe twice: before it forks, so that a parent may move it, and before the runtime's exec (conmon.c).
  gate?.write('\0');
  return {
    async next() {
      const { value, done } = await sync.next();
      return done === true ? undefined : (JSON.parse(value) as ConmonAnswer);
    },
    async attachable() {
      await lines(ready!).next();
    },
    go: () => void gate?.write('\0'),
    complaint: () => complaint,
    release() {
      for (const stream of child.streams) stream?.destroy();
    },
  };
}
