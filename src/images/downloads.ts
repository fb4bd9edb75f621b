import { cancelled, invalid, isKind, messageOf, notFound } from '../common/index.ts';
import type { ContentStore, Ingest } from '../content/index.ts';
import { backoffMs, isTemporary, NetworkError, pause, RegistryError, type Repository } from '../registry/index.ts';
import type { Descriptor } from '../wire/index.ts';
import { Slots } from './slots.ts';

export type DownloadState =
  | { kind: 'waiting' }
  | { kind: 'bytes'; current: number }
  | { kind: 'verifying' }
  | { kind: 'retrying'; seconds: number };

interface Run {
  result: Promise<void>;
  abort: AbortController;
  listeners: Set<(state: DownloadState) => void>;
  waiters: number;
  last: DownloadState | undefined;
}

/**
 * Brings blobs into content: a few at a time over all pulls, each only once however many want it, resumed where an earlier try (of
 * this daemon or the last) left off. A download goes on as long as one of those who want it is there.
 */
export class Downloads {
  readonly #content: ContentStore;
  readonly #slots: Slots;
  readonly #attempts: number;
  readonly #runs = new Map<string, Run>();

  constructor(content: ContentStore, { parallel, attempts }: { parallel: number; attempts: number }) {
    this.#content = content;
    this.#slots = new Slots(parallel);
    this.#attempts = attempts;
  }

  /** The caller has a lease on the digest. */
  async fetch(
    descriptor: Descriptor,
    repository: Repository,
    { signal, onState = () => {} }: { signal: AbortSignal; onState?: (state: DownloadState) => void },
  ): Promise<void> {
    signal.throwIfAborted();
    let running = this.#runs.get(descriptor.digest);
    if (running?.abort.signal.aborted) {
      // Everybody left it: its file is free when it has ended.
      await running.result.catch(() => {});
      running = this.#runs.get(descriptor.digest);
    }
    if (running === undefined) return await this.#join(this.#start(descriptor, repository), onState, signal);
    try {
      await this.#join(running, onState, signal);
    } catch (error) {
      // The other one's credentials or mirror may be what failed.
      if (signal.aborted) throw error;
      await this.fetch(descriptor, repository, { signal, onState });
    }
  }

  /** Ends all of them, and waits until nothing is written any more; what they have is for the next try. */
  async close(): Promise<void> {
    const runs = [...this.#runs.values()];
    for (const { abort } of runs) abort.abort(cancelled('the engine is closing'));
    await Promise.allSettled(runs.map(({ result }) => result));
  }

  async #join(run: Run, onState: (state: DownloadState) => void, signal: AbortSignal): Promise<void> {
    const left = Promise.withResolvers<never>();
    const leave = () => left.reject(signal.reason);
    signal.addEventListener('abort', leave, { once: true });
    run.waiters++;
    run.listeners.add(onState);
    if (run.last !== undefined) onState(run.last);
    try {
      await Promise.race([run.result, left.promise]);
    } finally {
      signal.removeEventListener('abort', leave);
      run.listeners.delete(onState);
      if (--run.waiters === 0) run.abort.abort(signal.reason);
    }
  }

  #start(descriptor: Descriptor, repository: Repository): Run {
    const abort = new AbortController();
    const listeners: Run['listeners'] = new Set();
    const tell = (state: DownloadState) => {
      run.last = state;
      for (const listener of listeners)
        try {
          listener(state);
        } catch {
          // A client that is gone; those who wait for the same blob must not fail for it.
          listeners.delete(listener);
        }
    };
    const work = async () => {
      if (this.#slots.full) tell({ kind: 'waiting' });
      await this.#slots.run(() => this.#attempt(descriptor, repository, tell, abort.signal), abort.signal);
    };
    const run: Run = { result: Promise.resolve(), abort, listeners, waiters: 0, last: undefined };
    run.result = work().finally(() => {
      if (this.#runs.get(descriptor.digest) === run) this.#runs.delete(descriptor.digest);
    });
    // Whoever joins looks at it; the last one may have gone.
    run.result.catch(() => {});
    this.#runs.set(descriptor.digest, run);
    return run;
  }

  async #attempt(
    descriptor: Descriptor,
    repository: Repository,
    tell: (state: DownloadState) => void,
    signal: AbortSignal,
  ): Promise<void> {
    for (let failures = 1; ; failures++) {
      try {
        return await this.#once(descriptor, repository, tell, signal);
      } catch (error) {
        if (signal.aborted || failures >= this.#attempts || !isTemporary(error)) throw error;
        const wait = backoffMs(failures);
        tell({ kind: 'retrying', seconds: Math.max(1, Math.round(wait / 1000)) });
        await pause(wait, signal);
      }
    }
  }

  async #once(
    descriptor: Descriptor,
    repository: Repository,
    tell: (state: DownloadState) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const { digest, size } = descriptor;
    const lease = this.#content.lease();
    let ingest = await this.#content.ingest(lease, { ref: digest });
    const restart = async () => {
      await ingest.discard();
      ingest = await this.#content.ingest(lease, { ref: digest });
    };
    try {
      if (ingest.offset > size) await restart();
      const resumed = ingest.offset;
      if (ingest.offset < size) {
        const body = await repository.blob(digest, ingest.offset, signal);
        // A registry that knows no ranges sends all of it.
        if (body.offset !== ingest.offset) await restart();
        if (body.offset > 0 && body.offset !== ingest.offset)
          throw invalid(`registry sent ${digest} from byte ${body.offset} on, which was not asked for`);
        await take(ingest, body.stream, descriptor, tell);
      }
      tell({ kind: 'verifying' });
      await commit(ingest, descriptor, resumed > 0);
    } catch (error) {
      if (isKind(error, 'invalid')) await ingest.discard();
      else await ingest.close();
      throw inWords(error);
    } finally {
      lease.end();
    }
  }
}

async function take(
  ingest: Ingest,
  stream: AsyncIterable<Buffer>,
  { digest, size }: Descriptor,
  tell: (state: DownloadState) => void,
): Promise<void> {
  let current = ingest.offset;
  for await (const chunk of stream) {
    current += chunk.length;
    if (current > size) throw invalid(`${digest} has more than the ${size} bytes that its manifest says`);
    await ingest.write(chunk);
    tell({ kind: 'bytes', current });
  }
  if (current < size) throw new NetworkError(`${digest}: unexpected EOF`, true, undefined);
}

async function commit(ingest: Ingest, { digest, size }: Descriptor, resumed: boolean): Promise<void> {
  try {
    await ingest.commit({ digest, size });
  } catch (error) {
    if (!isKind(error, 'invalid')) throw error;
    const message = `filesystem layer verification failed for digest ${digest}`;
    // What was on disk from before may be what is wrong: once more from the start.
    if (resumed) throw new NetworkError(message, true, error);
    throw invalid(message, error);
  }
}

function inWords(error: unknown): unknown {
  if (error instanceof RegistryError && error.status === 404) return notFound(`unknown blob: ${messageOf(error)}`);
  return error;
}
