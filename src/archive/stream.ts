import { Readable } from 'node:stream';
import { invalid } from '../common/index.ts';
import { archiveEnd, encodeEntry, paddingOf } from './encode.ts';
import { textOf } from './names.ts';
import { TarParser } from './parser.ts';
import type { TarEntry, TarHeader, TarItem } from './types.ts';

type Event = { kind: 'entry'; header: TarHeader } | { kind: 'data'; chunk: Buffer; offset: number } | { kind: 'end' };

async function* events(source: AsyncIterable<Uint8Array>): AsyncGenerator<Event> {
  let found: Event[] = [];
  const parser = new TarParser({
    entry: (header) => void found.push({ kind: 'entry', header }),
    data: (chunk, offset) => void found.push({ kind: 'data', chunk, offset }),
    end: () => void found.push({ kind: 'end' }),
  });
  for await (const chunk of source) {
    parser.push(Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength));
    const now = found;
    found = [];
    yield* now;
  }
  parser.finish();
}

const ZEROS = Buffer.alloc(64 * 1024);
function* zeros(length: number): Generator<Buffer> {
  for (let left = length; left > 0; left -= ZEROS.length) yield ZEROS.subarray(0, Math.min(left, ZEROS.length));
}

/**
 * The entries of an uncompressed archive, one after the other. A body is read while its entry is current, or skipped. Throws invalid
 * for a damaged archive. Ending the iteration early ends the source.
 */
export async function* readTar(source: AsyncIterable<Uint8Array>): AsyncGenerator<TarEntry> {
  const stream = events(source);
  let inside = false;
  let current = 0;
  async function* body(size: number, own: number): AsyncGenerator<Buffer> {
    let at = 0;
    for (;;) {
      if (current !== own) throw invalid('the body of an archive entry was read after the next entry');
      if (!inside) break;
      const { value: event, done } = await stream.next();
      if (done === true) return;
      if (event.kind === 'end') inside = false;
      else if (event.kind === 'data') {
        yield* zeros(event.offset - at);
        yield event.chunk;
        at = event.offset + event.chunk.length;
      }
    }
    yield* zeros(size - at);
  }
  try {
    for (;;) {
      const { value: event, done } = await stream.next();
      if (done === true) return;
      if (event.kind !== 'entry') continue;
      inside = true;
      current++;
      yield { header: event.header, body: body(event.header.size, current) };
    }
  } finally {
    await stream.return(undefined);
  }
}

async function* encodeAll(items: AsyncIterable<TarItem> | Iterable<TarItem>): AsyncGenerator<Uint8Array> {
  for await (const { header: given, body } of items) {
    const size = body instanceof Uint8Array ? body.length : (given.size ?? 0);
    const header: TarHeader = {
      type: 'file',
      mode: given.type === 'dir' ? 0o755 : 0o644,
      uid: 0,
      gid: 0,
      mtime: { seconds: 0, nanoseconds: 0 },
      ...given,
      size,
    };
    yield encodeEntry(header).bytes;
    if (header.type !== 'file') continue;
    let written = 0;
    for await (const chunk of body === undefined ? [] : body instanceof Uint8Array ? [body] : body) {
      written += chunk.length;
      if (written > size) throw invalid(`${textOf(header.name)}: more bytes than its size of ${size}`);
      yield chunk;
    }
    if (written < size) throw invalid(`${textOf(header.name)}: ${written} bytes where ${size} were announced`);
    const padding = paddingOf(size);
    if (padding.length > 0) yield padding;
  }
  yield archiveEnd();
}

/** An archive of the given entries, made as it is read. Missing header fields: a file, 0644 (0755 for a directory), root's, of the epoch. */
export const writeTar = (items: AsyncIterable<TarItem> | Iterable<TarItem>): Readable =>
  Readable.from(encodeAll(items), { objectMode: false });
