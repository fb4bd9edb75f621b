import type { Readable, Writable } from 'node:stream';

const HEADER = 8;

/**
 * Splits Docker's multiplexed stream: frames of an 8-byte header (stream 0 stdin, 1 stdout, 2 stderr, 3 a system error; three zero
 * bytes; length, big endian) and that many bytes (Engine API, "Stream format"). Waits for slow sinks. Resolves at the end.
 */
export async function demultiplex(source: Readable, stdout: Writable, stderr: Writable): Promise<void> {
  const header = Buffer.alloc(HEADER);
  let headerFill = 0;
  let remaining = 0;
  let sink = stdout;
  let fault: Buffer[] | undefined;
  for await (const piece of source) {
    const chunk = piece as Buffer;
    let at = 0;
    while (at < chunk.length) {
      if (remaining === 0) {
        const take = Math.min(HEADER - headerFill, chunk.length - at);
        chunk.copy(header, headerFill, at, at + take);
        headerFill += take;
        at += take;
        if (headerFill < HEADER) continue;
        headerFill = 0;
        remaining = header.readUInt32BE(4);
        const kind = header[0];
        if (kind === 3) fault = [];
        else if (kind === 2) sink = stderr;
        else if (kind === 0 || kind === 1) sink = stdout;
        else throw new Error(`unrecognized input header: ${kind}`);
        continue;
      }
      const part = chunk.subarray(at, at + remaining);
      at += part.length;
      remaining -= part.length;
      if (fault) fault.push(part);
      else await write(sink, part);
      if (fault && remaining === 0) throw new Error(`error from daemon in stream: ${Buffer.concat(fault).toString()}`);
    }
  }
}

/** Writes and waits while the sink is full. */
export function write(sink: Writable, chunk: Buffer | string): Promise<void> | void {
  if (sink.write(chunk) || sink.destroyed) return;
  return new Promise((resolve) => {
    const done = () => {
      sink.off('drain', done);
      sink.off('close', done);
      sink.off('error', done);
      resolve();
    };
    sink.on('drain', done);
    sink.on('close', done);
    sink.on('error', done);
  });
}

/** A value for each line of a JSON stream (progress, events, stats). */
export async function* jsonLines<T>(source: Readable): AsyncGenerator<T> {
  let rest = '';
  const decoder = new TextDecoder();
  for await (const chunk of source) {
    rest += decoder.decode(chunk as Buffer, { stream: true });
    const lines = rest.split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line.trim() !== '') yield* split<T>(line);
  }
  if (rest.trim() !== '') yield* split<T>(rest);
}

/** Some daemons put several values on a line; they never put a line break into one. */
function* split<T>(line: string): Generator<T> {
  try {
    yield JSON.parse(line) as T;
    return;
  } catch {
    // Fall through to the slow way.
  }
  let depth = 0;
  let inText = false;
  let start = 0;
  for (let at = 0; at < line.length; at++) {
    const char = line[at];
    if (inText) {
      if (char === '\\') at++;
      else if (char === '"') inText = false;
    } else if (char === '"') inText = true;
    else if (char === '{') depth++;
    else if (char === '}' && --depth === 0) {
      yield JSON.parse(line.slice(start, at + 1)) as T;
      start = at + 1;
    }
  }
}
