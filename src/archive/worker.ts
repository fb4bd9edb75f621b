import { parentPort } from 'node:worker_threads';
import { cancelled, kindOf, messageOf } from '../common/index.ts';
import type { FromWorker, ToWorker } from './jobs.ts';
import { runJob } from './run-job.ts';

/**
 * A worker thread's side: runs several jobs at a time. A job that waits (for input, for a slow reader) lets the others go on;
 * one that works yields every few milliseconds, so that messages get through.
 */
const SLICE_MS = 10;

interface Running {
  abort: AbortController;
  input: Buffer[];
  inputEnded: boolean;
  /** Chunks that may still be sent. */
  credit: number;
  /** Wakes whoever waits for input, credit or abort. */
  wake: () => void;
}

const port = parentPort!;
const jobs = new Map<number, Running>();
const post = (message: FromWorker, transfer: ArrayBuffer[] = []) => port.postMessage(message, transfer);

const change = (running: Running): Promise<void> =>
  new Promise((resolve) => {
    running.wake = resolve;
  });

async function* inputOf(id: number, running: Running): AsyncGenerator<Buffer> {
  for (;;) {
    if (running.abort.signal.aborted) throw cancelled('cancelled');
    const chunk = running.input.shift();
    if (chunk !== undefined) {
      yield chunk;
      // Only now: what is being worked on counts as not yet taken.
      post({ type: 'taken', id, bytes: chunk.length });
    } else if (running.inputEnded) return;
    else await change(running);
  }
}

function breatheOf(running: Running): () => Promise<void> | undefined {
  let sliceEnd = performance.now() + SLICE_MS;
  return () => {
    if (performance.now() < sliceEnd) return undefined;
    return new Promise((resolve, reject) =>
      setImmediate(() => {
        sliceEnd = performance.now() + SLICE_MS;
        if (running.abort.signal.aborted) reject(cancelled('cancelled'));
        else resolve();
      }),
    );
  };
}

async function outputOf(id: number, running: Running, chunk: Buffer): Promise<void> {
  while (running.credit === 0) {
    if (running.abort.signal.aborted) throw cancelled('cancelled');
    await change(running);
  }
  if (running.abort.signal.aborted) throw cancelled('cancelled');
  running.credit--;
  post({ type: 'output', id, chunk }, [chunk.buffer as ArrayBuffer]);
}

async function start(id: number, job: (ToWorker & { type: 'start' })['job']): Promise<void> {
  const running: Running = {
    abort: new AbortController(),
    input: [],
    inputEnded: false,
    credit: 0,
    wake: () => {},
  };
  jobs.set(id, running);
  try {
    const result = await runJob(job, {
      input: inputOf(id, running),
      output: (chunk) => outputOf(id, running, chunk),
      signal: running.abort.signal,
      breathe: breatheOf(running),
    });
    post({ type: 'done', id, result });
  } catch (error) {
    const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
    post({ type: 'failed', id, error: { kind: kindOf(error), message: messageOf(error), code } });
  } finally {
    jobs.delete(id);
  }
}

port.on('message', (message: ToWorker) => {
  if (message.type === 'start') return void start(message.id, message.job);
  const running = jobs.get(message.id);
  if (running === undefined) return;
  switch (message.type) {
    case 'input': {
      const { chunk } = message;
      running.input.push(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength));
      break;
    }
    case 'input-end':
      running.inputEnded = true;
      break;
    case 'more':
      running.credit += message.chunks;
      break;
    case 'abort':
      running.abort.abort();
      break;
  }
  running.wake();
});
