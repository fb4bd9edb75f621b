import { closeSync } from 'node:fs';
import { Socket } from 'node:net';
import { O } from './files.ts';
import { check, libc, sysError } from './libc.ts';

/**
 * Processes by posix_spawn(3). Node's own spawn forks: the kernel then copies the page tables of the whole daemon, and the event loop waits
 * for it (docs/decisions/022). glibc's and musl's posix_spawn share the memory until the exec.
 */

/** What a child has as its file descriptor of that place in the list: /dev/null, or a descriptor of ours. */
type ChildDescriptor = 'null' | number;

export interface SpawnOptions {
  /** `NAME=value`. */
  env: readonly string[];
  cwd?: string;
  /** The child's descriptors 0, 1, 2 …; all that Node opens is closed on exec. Ours stay open. */
  descriptors: readonly ChildDescriptor[];
  /** Leads a session of its own, so that no terminal's signals reach it. */
  session?: boolean;
}

export interface Child {
  pid: number;
  /** 0–255; 128+n for a signal. */
  exit: Promise<number>;
}

/** spawn.h; glibc and musl agree. */
const POSIX_SPAWN_SETSIGDEF = 0x04;
const POSIX_SPAWN_SETSIGMASK = 0x08;
const POSIX_SPAWN_SETSID = 0x80;
const WNOHANG = 1;
/** How often is looked without a signal, too. */
const PULSE_MS = 1000;
/** Larger than posix_spawnattr_t (336 bytes), posix_spawn_file_actions_t (80) and sigset_t (128) of both C libraries. */
const STRUCT_BYTES = 512;

const call = {
  spawn: libc.func('int posix_spawn(_Out_ int *, const char *, const void *, const void *, char **, char **)'),
  attributes: libc.func('int posix_spawnattr_init(void *)'),
  dropAttributes: libc.func('int posix_spawnattr_destroy(void *)'),
  flags: libc.func('int posix_spawnattr_setflags(void *, short)'),
  defaultSignals: libc.func('int posix_spawnattr_setsigdefault(void *, const void *)'),
  signalMask: libc.func('int posix_spawnattr_setsigmask(void *, const void *)'),
  actions: libc.func('int posix_spawn_file_actions_init(void *)'),
  dropActions: libc.func('int posix_spawn_file_actions_destroy(void *)'),
  open: libc.func('int posix_spawn_file_actions_addopen(void *, int, const char *, int, unsigned int)'),
  duplicate: libc.func('int posix_spawn_file_actions_adddup2(void *, int, int)'),
  directory: libc.func('int posix_spawn_file_actions_addchdir_np(void *, const char *)'),
  fill: libc.func('int sigfillset(void *)'),
  empty: libc.func('int sigemptyset(void *)'),
  wait: libc.func('int waitpid(int, _Out_ int *, int)'),
  pipe: libc.func('int pipe2(_Out_ int *, int)'),
};

/** A pipe's two descriptors, closed on exec. */
function openPipe(): { readEnd: number; writeEnd: number } {
  const ends = [0, 0];
  check(call.pipe(ends, O.CLOEXEC), 'pipe2');
  return { readEnd: ends[0]!, writeEnd: ends[1]! };
}

/** A stream over our end of a pipe; the stream owns the descriptor. */
const pipeStream = (end: number, way: 'read' | 'write'): Socket =>
  new Socket({ fd: end, readable: way === 'read', writable: way === 'write' });

/** The children whose end was not seen yet. While there are any, the event loop lives: a signal's listener alone would not keep it. */
class Nursery {
  readonly #waiting = new Map<number, (code: number) => void>();
  #pulse: NodeJS.Timeout | undefined;

  /** Starts a child by `start`, which answers its pid. */
  add(start: () => number): Child {
    // Listening first: the child may end before it is known here.
    if (this.#pulse === undefined) {
      process.on('SIGCHLD', this.#reap);
      this.#pulse = setInterval(this.#reap, PULSE_MS);
    }
    try {
      const pid = start();
      const { promise, resolve } = Promise.withResolvers<number>();
      this.#waiting.set(pid, resolve);
      return { pid, exit: promise };
    } finally {
      this.#rest();
    }
  }

  readonly #reap = (): void => {
    for (const [pid, ended] of this.#waiting) {
      const status = [0];
      if (call.wait(pid, status, WNOHANG) === 0) continue;
      this.#waiting.delete(pid);
      ended(exitCode(status[0]!));
    }
    this.#rest();
  };

  #rest(): void {
    if (this.#waiting.size > 0) return;
    process.off('SIGCHLD', this.#reap);
    clearInterval(this.#pulse);
    this.#pulse = undefined;
  }
}

/** One for the process, as its children and SIGCHLD are. */
const nursery = new Nursery();

/** wait(2): the low seven bits are the signal, the second byte is the code. */
const exitCode = (status: number): number => ((status & 0x7f) === 0 ? (status >> 8) & 0xff : 128 + (status & 0x7f));

/** Starts the program at `path` (no search along PATH). Throws its errno (ENOENT, EACCES …) when it cannot be started. */
export function spawnProgram(path: string, args: readonly string[], options: SpawnOptions): Child {
  const attributes = Buffer.alloc(STRUCT_BYTES);
  const actions = Buffer.alloc(STRUCT_BYTES);
  call.attributes(attributes);
  call.actions(actions);
  try {
    const set = Buffer.alloc(STRUCT_BYTES);
    call.fill(set);
    call.defaultSignals(attributes, set);
    call.empty(set);
    call.signalMask(attributes, set);
    const session = options.session === true ? POSIX_SPAWN_SETSID : 0;
    call.flags(attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | session);
    if (options.cwd !== undefined) call.directory(actions, options.cwd);
    arrange(actions, options.descriptors);
    return nursery.add(() => {
      const pid = [0];
      const argv = [path, ...args, null];
      const failed = call.spawn(pid, path, actions, attributes, argv, [...options.env, null]) as number;
      if (failed !== 0) throw sysError(failed, 'posix_spawn', path);
      return pid[0]!;
    });
  } finally {
    call.dropActions(actions);
    call.dropAttributes(attributes);
  }
}

/** Our descriptors are above all places (0, 1 and 2 are taken in every process), so that no placement overwrites what a later one needs. */
function arrange(actions: Buffer, descriptors: readonly ChildDescriptor[]): void {
  for (const [place, what] of descriptors.entries()) {
    if (what === 'null') call.open(actions, place, '/dev/null', O.RDWR, 0);
    else if (what >= descriptors.length) call.duplicate(actions, what, place);
    else throw new RangeError(`descriptor ${what} is in the way of the child's own`);
  }
}

/** Starts a program with pipes on the places named, gives our ends as streams, and closes the child's. */
export function spawnPiped(
  path: string,
  args: readonly string[],
  options: Omit<SpawnOptions, 'descriptors'> & { pipes: readonly ('null' | 'in' | 'out')[] },
): Child & { streams: (Socket | undefined)[] } {
  const ours: (number | undefined)[] = [];
  const theirs: ChildDescriptor[] = [];
  for (const kind of options.pipes) {
    if (kind === 'null') {
      ours.push(undefined);
      theirs.push('null');
      continue;
    }
    const { readEnd, writeEnd } = openPipe();
    ours.push(kind === 'in' ? writeEnd : readEnd);
    theirs.push(kind === 'in' ? readEnd : writeEnd);
  }
  const close = (ends: readonly (number | string | undefined)[]) => {
    for (const end of ends) if (typeof end === 'number') closeSync(end);
  };
  try {
    const child = spawnProgram(path, args, { ...options, descriptors: theirs });
    const streams = ours.map((end, place) =>
      end === undefined ? undefined : pipeStream(end, options.pipes[place] === 'in' ? 'write' : 'read'),
    );
    return { ...child, streams };
  } catch (error) {
    close(ours);
    throw error;
  } finally {
    close(theirs);
  }
}
