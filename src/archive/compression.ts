import { type ChildProcess, spawn } from 'node:child_process';
import { type Duplex, PassThrough, Readable, Transform } from 'node:stream';
import { constants, createGunzip, createZstdDecompress } from 'node:zlib';
import { cancelled, internal, invalid, isErrno, messageOf, unavailable } from '../common/index.ts';
import type { Compression, ExpansionLimits } from './types.ts';

const MAGIC: readonly [Compression, Buffer][] = [
  ['gzip', Buffer.from([0x1f, 0x8b, 0x08])],
  ['zstd', Buffer.from([0x28, 0xb5, 0x2f, 0xfd])],
  ['bzip2', Buffer.from('BZh')],
  ['xz', Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00])],
];

/** By the first bytes. A zstd stream may begin with a skippable frame (RFC 8878, 3.1.2). */
export function detectCompression(head: Buffer): Compression {
  for (const [name, magic] of MAGIC) if (head.subarray(0, magic.length).equals(magic)) return name;
  if (head.length >= 4 && (head.readUInt32LE(0) & 0xfffffff0) >>> 0 === 0x184d2a50) return 'zstd';
  return 'none';
}

/** zlib's default output of 16 KiB would cost a trip through the thread pool each. */
const CHUNK = 256 * 1024;

/** A program that filters; killed when the stream is destroyed. */
class ProgramFilter extends Transform {
  readonly #child: ChildProcess;
  readonly #name: string;
  #ended: ((error?: Error | null) => void) | undefined;
  #closed = false;
  #stderr = '';
  #failure: Error | undefined;

  constructor(name: string, args: readonly string[]) {
    super();
    this.#name = name;
    const child = spawn(name, args, { stdio: ['pipe', 'pipe', 'pipe'] });
    this.#child = child;
    child.stdin.on('error', () => {}); // Its end says more.
    child.stderr.on('data', (text: Buffer) => {
      this.#stderr = `${this.#stderr}${text}`.slice(0, 500);
    });
    child.stdout.on('data', (chunk: Buffer) => {
      if (!this.push(chunk)) child.stdout.pause();
    });
    child.on('error', (error) => {
      this.#failure = isErrno(error, 'ENOENT')
        ? unavailable(`the archive needs the program ${name}, which is not installed`)
        : internal(`${name}: ${error.message}`, error);
    });
    child.on('close', (code) => this.#onClose(code));
  }

  #onClose(code: number | null): void {
    this.#closed = true;
    const words = this.#stderr.trim();
    const failure =
      this.#failure ??
      (code === 0 ? undefined : invalid(`archive is damaged: ${words === '' ? `${this.#name} failed` : words}`));
    if (this.#ended !== undefined) this.#ended(failure);
    else if (failure !== undefined) this.destroy(failure);
  }

  override _read(size: number): void {
    this.#child.stdout?.resume();
    super._read(size);
  }
  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    const { stdin } = this.#child;
    if (stdin === null || this.#closed || stdin.write(chunk)) {
      done();
      return;
    }
    const go = () => {
      stdin.off('drain', go);
      stdin.off('close', go);
      done();
    };
    stdin.on('drain', go);
    stdin.on('close', go);
  }
  override _flush(done: (error?: Error | null) => void): void {
    this.#ended = done;
    this.#child.stdin?.end();
    if (this.#closed) done(this.#failure);
  }
  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    if (!this.#closed) this.#child.kill('SIGKILL');
    done(error);
  }
}

function decompressor(compression: Compression): Duplex {
  switch (compression) {
    case 'none':
      return new PassThrough();
    case 'gzip':
      return createGunzip({ chunkSize: CHUNK });
    case 'zstd':
      // A window of 128 MiB is what zstd's own tool allows without being asked for more.
      return createZstdDecompress({ chunkSize: CHUNK, params: { [constants.ZSTD_d_windowLogMax]: 27 } });
    case 'bzip2':
      return new ProgramFilter('bzip2', ['-dc']);
    case 'xz':
      return new ProgramFilter('xz', ['-dc', '-T1', '--memlimit-decompress=128MiB']);
  }
}

/** Reads until `length` bytes or the end; gives back all that was read. */
export async function peek(source: AsyncIterator<Uint8Array>, length: number): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for (let total = 0; total < length; ) {
    const { value, done } = await source.next();
    if (done === true) break;
    parts.push(value);
    total += value.length;
  }
  return Buffer.concat(parts);
}

const readable = (error: Error, compression: Compression): Error => {
  const code = (error as NodeJS.ErrnoException).code ?? '';
  if (code === 'Z_BUF_ERROR') return invalid(`archive is damaged: the ${compression} stream ends too early`, error);
  if (code.startsWith('Z_') || code.startsWith('ZSTD_'))
    return invalid(`archive is damaged: ${compression}: ${messageOf(error)}`, error);
  return error;
};

/**
 * Takes a compressed or plain stream, sees by magic which, and gives the plain bytes. Throws invalid where the stream is damaged, ends
 * too early or outgrows the limits; unavailable where `bzip2` or `xz` is needed and not there.
 */
export async function decompress(
  source: AsyncIterable<Uint8Array>,
  options: ExpansionLimits & { signal?: AbortSignal } = {},
): Promise<{ compression: Compression; stream: AsyncIterable<Buffer> }> {
  const iterator = source[Symbol.asyncIterator]();
  const head = await peek(iterator, 6);
  const compression = detectCompression(head);
  let taken = 0;
  async function* rest(): AsyncGenerator<Uint8Array> {
    try {
      if (head.length > 0) {
        taken += head.length;
        yield head;
      }
      for (;;) {
        const { value, done } = await iterator.next();
        if (done === true) return;
        taken += value.length;
        yield value;
      }
    } finally {
      await iterator.return?.();
    }
  }
  return { compression, stream: limited(expand(rest(), compression, options.signal), () => taken, options) };
}

async function* expand(
  source: AsyncGenerator<Uint8Array>,
  compression: Compression,
  signal: AbortSignal | undefined,
): AsyncGenerator<Buffer> {
  if (compression === 'none') {
    for await (const chunk of source) {
      if (signal?.aborted) throw cancelled('cancelled', signal.reason);
      yield Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    }
    return;
  }
  const input = Readable.from(source, { objectMode: false });
  const output = decompressor(compression);
  const stop = () => output.destroy(cancelled('cancelled', signal?.reason));
  signal?.addEventListener('abort', stop);
  input.on('error', (error) => output.destroy(error));
  try {
    if (signal?.aborted) stop();
    for await (const chunk of input.pipe(output)) yield chunk as Buffer;
  } catch (error) {
    throw readable(error as Error, compression);
  } finally {
    signal?.removeEventListener('abort', stop);
    input.destroy();
    output.destroy();
  }
}

async function* limited(
  source: AsyncGenerator<Buffer>,
  taken: () => number,
  limits: ExpansionLimits,
): AsyncGenerator<Buffer> {
  const { maxBytes = Number.POSITIVE_INFINITY, maxRatio = 200, ratioFloorBytes = 4 * 2 ** 30 } = limits;
  let given = 0;
  for await (const chunk of source) {
    given += chunk.length;
    if (given > maxBytes) throw invalid(`archive unpacks to more than the ${maxBytes} bytes allowed`);
    if (given > ratioFloorBytes && given > taken() * maxRatio)
      throw invalid(`archive unpacks to more than ${maxRatio} times its size: refused as a decompression bomb`);
    yield chunk;
  }
}
