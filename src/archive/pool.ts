import { existsSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { cancelled, EngineError, type ErrorKind, internal, messageOf } from '../common/index.ts';
import type { FromWorker, Job, ToWorker } from './jobs.ts';

/** Two: one that waits for the disk and one that computes; more would only take memory (about 15 MB each). */
const MAX_WORKERS = 2;
/** An idle worker is ended after this time. */
const IDLE_MS = 60_000;

/** What a running job is told by its worker. */
export interface JobListener {
  taken(bytes: number): void;
  output(chunk: Buffer): void;
  done(result: unknown): void;
  failed(error: Error): void;
}

export interface JobHandle {
  input(chunk: Uint8Array<ArrayBuffer>, transfer: boolean): void;
  inputEnd(): void;
  /** Allows this many further chunks of output. */
  more(chunks: number): void;
  abort(): void;
}

interface Thread {
  worker: Worker;
  jobs: Map<number, JobListener>;
  idle: NodeJS.Timeout | undefined;
}

/** Beside this file: its source in a checkout, a bundle of its own in a build. */
function entry(): URL {
  if (import.meta.url.endsWith('.ts')) return new URL('./worker.ts', import.meta.url);
  const beside = new URL('./archive-worker.mjs', import.meta.url);
  // The command line is split into chunks one directory further down.
  return existsSync(beside) ? beside : new URL('../archive-worker.mjs', import.meta.url);
}

/** Worker threads for archive jobs: started when needed, shared by jobs, ended when idle. They never keep the process alive by themselves. */
export class WorkerPool {
  readonly #threads: Thread[] = [];
  #lastId = 0;

  start(job: Job, listener: JobListener): JobHandle {
    const thread = this.#choose();
    const id = ++this.#lastId;
    clearTimeout(thread.idle);
    thread.jobs.set(id, listener);
    thread.worker.ref();
    const post = (message: ToWorker, transfer: ArrayBuffer[] = []) => thread.worker.postMessage(message, transfer);
    post({ type: 'start', id, job });
    return {
      input: (chunk, transfer) => post({ type: 'input', id, chunk }, transfer ? [chunk.buffer] : []),
      inputEnd: () => post({ type: 'input-end', id }),
      more: (chunks) => post({ type: 'more', id, chunks }),
      abort: () => post({ type: 'abort', id }),
    };
  }

  #choose(): Thread {
    const free = this.#threads.find((thread) => thread.jobs.size === 0);
    if (free !== undefined) return free;
    if (this.#threads.length < MAX_WORKERS) return this.#launch();
    return this.#threads.reduce((best, thread) => (thread.jobs.size < best.jobs.size ? thread : best));
  }

  #launch(): Thread {
    const worker = new Worker(entry(), {
      name: 'archive',
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: 256 },
    });
    const thread: Thread = { worker, jobs: new Map(), idle: undefined };
    worker.unref();
    worker.on('message', (message: FromWorker) => this.#onMessage(thread, message));
    worker.on('error', (error) => this.#onEnd(thread, internal(`archive worker: ${messageOf(error)}`, error)));
    worker.on('exit', () => this.#onEnd(thread, internal('archive worker ended')));
    this.#threads.push(thread);
    return thread;
  }

  #onMessage(thread: Thread, message: FromWorker): void {
    const listener = thread.jobs.get(message.id);
    if (listener === undefined) return;
    switch (message.type) {
      case 'taken':
        listener.taken(message.bytes);
        break;
      case 'output': {
        const { chunk } = message;
        listener.output(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength));
        break;
      }
      case 'done':
        this.#finish(thread, message.id);
        listener.done(message.result);
        break;
      case 'failed':
        this.#finish(thread, message.id);
        listener.failed(asError(message.error));
        break;
    }
  }

  #finish(thread: Thread, id: number): void {
    thread.jobs.delete(id);
    if (thread.jobs.size > 0) return;
    thread.worker.unref();
    thread.idle = setTimeout(() => {
      // Off the list first: a job must not be given to a thread that is going away.
      this.#threads.splice(this.#threads.indexOf(thread), 1);
      void thread.worker.terminate();
    }, IDLE_MS).unref();
  }

  #onEnd(thread: Thread, error: Error): void {
    const at = this.#threads.indexOf(thread);
    if (at >= 0) this.#threads.splice(at, 1);
    clearTimeout(thread.idle);
    const listeners = [...thread.jobs.values()];
    thread.jobs.clear();
    for (const listener of listeners) listener.failed(error);
  }
}

function asError({ kind, message, code }: (FromWorker & { type: 'failed' })['error']): Error {
  if (kind === 'cancelled') return cancelled('cancelled');
  if (kind !== 'internal') return new EngineError(kind as ErrorKind, message);
  return Object.assign(internal(message), code === undefined ? {} : { code });
}
