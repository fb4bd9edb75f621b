import { Readable } from 'node:stream';
import { cancelled } from '../common/index.ts';
import type { ExtractorOptions } from './extractor.ts';
import type { Job, JobResults } from './jobs.ts';
import { textOf } from './names.ts';
import { type JobHandle, WorkerPool } from './pool.ts';
import type {
  CopyTreeOptions,
  CopyTreeResult,
  ExtractOptions,
  ExtractResult,
  PackOptions,
  TreeChange,
  Unsettled,
} from './types.ts';

/**
 * The process's archive threads. One set for all, like libuv's own pool: what they bound is the machine's cores and the process's
 * memory. Nothing runs until the first job.
 */
const pool = new WorkerPool();

/** Bytes of input handed to a worker and not yet worked off. */
const INPUT_WINDOW = 2 * 1024 * 1024;
/** Chunks of output (256 KiB each) on their way from a worker. */
const OUTPUT_WINDOW = 4;

/** A job without streams. */
function simple<J extends Job>(job: J, signal?: AbortSignal): Promise<JobResults[J['kind']]> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(cancelled('cancelled'));
    const settle = () => signal?.removeEventListener('abort', abort);
    const handle = pool.start(job, {
      taken: () => {},
      output: () => {},
      done: (result) => {
        settle();
        resolve(result as JobResults[J['kind']]);
      },
      failed: (error) => {
        settle();
        reject(error);
      },
    });
    const abort = () => handle.abort();
    signal?.addEventListener('abort', abort);
  });
}

/** Counts what is on its way to a worker. */
class InputWindow {
  #pending = 0;
  #wake: () => void = () => {};
  #closed = false;

  add(bytes: number): void {
    this.#pending += bytes;
  }
  taken(bytes: number): void {
    this.#pending -= bytes;
    if (this.#pending < INPUT_WINDOW) this.#wake();
  }
  close(): void {
    this.#closed = true;
    this.#wake();
  }
  /** Resolves when there is room, or at once when the job has ended. */
  async room(): Promise<void> {
    if (this.#pending < INPUT_WINDOW || this.#closed) return;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
  }
}

/** A chunk may go to the other thread without a copy only if it is all of its memory. */
function send(handle: JobHandle, chunk: Uint8Array): void {
  const own = chunk.buffer instanceof ArrayBuffer && chunk.byteLength === chunk.buffer.byteLength;
  handle.input(own ? (chunk as Uint8Array<ArrayBuffer>) : new Uint8Array(chunk), true);
}

/** Pumps a source into an extracting worker. Ends the source, whatever happens. */
async function extract(
  source: AsyncIterable<Uint8Array>,
  job: Job & { kind: 'extract' },
  options: { signal?: AbortSignal | undefined; onProgress?: ((bytesRead: number) => void) | undefined },
): Promise<ExtractResult> {
  const { signal, onProgress } = options;
  if (signal?.aborted) {
    if (source instanceof Readable) source.destroy();
    throw cancelled('cancelled');
  }
  const window = new InputWindow();
  let ended = false;
  let sourceError: unknown;
  const { promise: result, resolve, reject } = Promise.withResolvers<ExtractResult>();
  const end = () => {
    ended = true;
    window.close();
  };
  const handle = pool.start(job, {
    taken: (bytes) => window.taken(bytes),
    output: () => {},
    done: (value) => {
      end();
      resolve(value as ExtractResult);
    },
    failed: (error) => {
      end();
      // The worker has let go of its files by now; a source that failed is why.
      reject(sourceError ?? error);
    },
  });
  const abort = () => handle.abort();
  signal?.addEventListener('abort', abort);
  const pump = async () => {
    let total = 0;
    for await (const chunk of source) {
      if (ended) return;
      total += chunk.length;
      window.add(chunk.length);
      send(handle, chunk);
      onProgress?.(total);
      await window.room();
      if (ended) return;
    }
    handle.inputEnd();
  };
  pump().catch((error) => {
    if (ended) return;
    sourceError = error;
    handle.abort();
  });
  try {
    return await result;
  } finally {
    signal?.removeEventListener('abort', abort);
    // A source that has nothing to give now must not stay open.
    if (source instanceof Readable) source.destroy();
  }
}

function extractJob(
  root: string,
  options: ExtractOptions,
  { overlay }: { overlay: boolean },
): Job & { kind: 'extract' } {
  const { owner, noOverwriteDirNonDir, topEntry, renameTop, maxEntries, maxBytes, maxRatio, ratioFloorBytes } = options;
  const shownRoot = options.path;
  const given: ExtractorOptions = { owner, noOverwriteDirNonDir, shownRoot, topEntry, renameTop, maxEntries, overlay };
  const limits = Object.fromEntries(
    Object.entries({ maxBytes, maxRatio, ratioFloorBytes }).filter(([, value]) => value !== undefined),
  );
  return { kind: 'extract', root, path: options.path ?? '', options: given, limits };
}

/**
 * Extracts an archive, plain or compressed (seen by magic), into a directory, on a worker thread. Cannot write outside `root`.
 * Throws invalid for a damaged archive or one that tries to leave; what was made before stays.
 */
export const extractInto = (
  root: string,
  archive: AsyncIterable<Uint8Array>,
  options: ExtractOptions = {},
): Promise<ExtractResult> => extract(archive, extractJob(root, options, { overlay: false }), options);

/**
 * As extractInto, for a layer archive into an empty directory that overlayfs will use as a lower one: whiteouts become overlayfs's.
 * `settleLayer` completes it.
 */
export const extractLayer = (
  directory: string,
  archive: AsyncIterable<Uint8Array>,
  options: ExtractOptions,
): Promise<ExtractResult> => extract(archive, extractJob(directory, options, { overlay: true }), options);

/** Gives an extracted layer what it takes from those below it (their directories, topmost first). */
export async function settleLayer(root: string, lower: readonly string[], unsettled: Unsettled): Promise<void> {
  if (lower.length === 0 || (unsettled.parents.length === 0 && !unsettled.opaqueRoot)) return;
  await simple({ kind: 'settle', root, lower, unsettled });
}

/**
 * An archive of `path` (UTF-8; resolved inside `root`, never out of it), packed on a worker thread as it is read. Children are sorted by
 * name. Destroying the stream ends the work. Fails with Node's ENOENT where the path is not.
 */
export function packDirectory(root: string, path: string, options: PackOptions = {}): Readable {
  const { signal, ...rest } = options;
  let handle: JobHandle | undefined;
  /** Chunks asked for and not yet here. */
  let expected = 0;
  let finished = false;
  const abort = () => void stream.destroy(cancelled('cancelled'));
  const settle = () => {
    finished = true;
    signal?.removeEventListener('abort', abort);
  };
  const stream = new Readable({
    highWaterMark: 256 * 1024,
    read() {
      handle ??= pool.start(
        { kind: 'pack', root, path, options: rest },
        {
          taken: () => {},
          output: (chunk) => {
            expected--;
            stream.push(chunk);
          },
          done: () => {
            settle();
            stream.push(null);
          },
          failed: (error) => {
            settle();
            stream.destroy(error);
          },
        },
      );
      handle.more(OUTPUT_WINDOW - expected);
      expected = OUTPUT_WINDOW;
    },
    destroy(error, done) {
      if (!finished) handle?.abort();
      settle();
      done(error);
    },
  });
  if (signal?.aborted) abort();
  signal?.addEventListener('abort', abort);
  return stream;
}

/**
 * Copies a tree on a worker thread: content, owner, mode, times, attributes, hard links and holes; the children of `source` go
 * into `destination`, which is made if need be (its parent must be there). A source that is no directory is copied to the name `destination`.
 */
export const copyTree = (
  source: string,
  destination: string,
  options: CopyTreeOptions = {},
): Promise<CopyTreeResult> => {
  const { signal, ...rest } = options;
  return simple({ kind: 'copy', source, destination, options: rest }, signal);
};

/** Bytes of all files below a directory, a hard-linked one once; directories count nothing. */
export const treeSize = (dir: string, options: { signal?: AbortSignal } = {}): Promise<number> =>
  simple({ kind: 'size', dir }, options.signal);

/** Removes a file or tree; follows no link, crosses into no mount. Not an error if it is not there. */
export async function removeTree(path: string, options: { signal?: AbortSignal } = {}): Promise<void> {
  await simple({ kind: 'remove', path }, options.signal);
}

/** What an overlay's upper directory changes against its lower ones (topmost first), sorted by path. */
export async function treeChanges(
  upper: string,
  lower: readonly string[],
  options: { signal?: AbortSignal } = {},
): Promise<{ path: string; kind: TreeChange['kind'] }[]> {
  const changes = await simple({ kind: 'changes', upper, lower }, options.signal);
  return changes.map(({ path, kind }) => ({ path: textOf(path), kind }));
}
