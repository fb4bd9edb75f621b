import { closeSync, openSync, readlinkSync, readSync } from 'node:fs';
import { hostname } from 'node:os';
import { Readable } from 'node:stream';
import type { ListedFile, MissingFiles } from '../../wire/index.ts';
import { ignoreRules, pathBelow, walkContext } from './walk.ts';

/** A directory to build from. */
export interface Directory {
  /** Absolute. */
  root: string;
  /** Name and text; a name within the directory, if it is there. */
  dockerfile: { name: string; text: string };
  /** Path of the file that says what is left out. */
  ignoreFile: string | undefined;
}

/** A file that changed this short ago may change again without its times telling: the kernel's clock for them goes in steps. */
const UNSURE_MS = 100;
const CHUNK_BYTES = 256 * 1024;

/** The bodies of `POST /build/files` for a directory as it is now (wire/build-files.ts). */
export class FilesBody {
  readonly #root: string;
  readonly #list: readonly ListedFile[];
  readonly #lead: Buffer;

  static async of({ root, dockerfile, ignoreFile }: Directory): Promise<FilesBody> {
    const rules = await ignoreRules(ignoreFile);
    const now = Date.now();
    const list = [...walkContext(root, rules)].map(({ path, stat }): ListedFile => {
      const mode = stat.mode & 0o7777;
      const mtime = Math.floor(stat.mtimeMs / 1000);
      if (stat.isDirectory()) return ['d', path, mode, mtime];
      if (stat.isSymbolicLink()) return ['l', path, mtime, readlinkSync(pathBelow(root, path), { encoding: 'latin1' })];
      const { dev, ino, size, mtimeMs, ctimeMs } = stat;
      const sure = now - ctimeMs > UNSURE_MS;
      return ['f', path, mode, mtime, size, sure ? [dev, ino, size, mtimeMs, ctimeMs].join() : ''];
    });
    // Another ignore file shows another directory.
    return new FilesBody(root, list, `${hostname()}:${root}:${ignoreFile ?? ''}`, dockerfile);
  }

  private constructor(root: string, list: readonly ListedFile[], context: string, dockerfile: Directory['dockerfile']) {
    this.#root = root;
    this.#list = list;
    const listed = Buffer.from(JSON.stringify(list));
    const head = JSON.stringify({ context, dockerfile, listBytes: listed.length });
    this.#lead = Buffer.concat([Buffer.from(`${head}\n`), listed]);
  }

  /** The list alone: asks what is missing. */
  get lead(): Buffer {
    return this.#lead;
  }

  /** The list, and what was missing. */
  with(missing: MissingFiles): Readable {
    return Readable.from(inChunks(this.#parts(missing)), { objectMode: false });
  }

  async *#parts({ contents, digests }: MissingFiles): AsyncGenerator<Buffer> {
    yield this.#lead;
    for (const file of digests) {
      const { createHash } = await import('node:crypto');
      const hash = createHash('sha256');
      for (const chunk of this.#content(file)) hash.update(chunk);
      yield line({ file, digest: hash.digest('hex') });
    }
    for (const file of contents) {
      yield line({ file, size: this.#file(file)[4] });
      yield* this.#content(file);
    }
  }

  #file(place: number): Extract<ListedFile, readonly ['f', ...unknown[]]> {
    const entry = this.#list[place];
    if (entry?.[0] !== 'f') throw new Error(`the daemon asks for what is no file: ${place}`);
    return entry;
  }

  /** As many bytes as were listed. */
  *#content(place: number): Generator<Buffer> {
    const [, path, , , size] = this.#file(place);
    const file = openSync(pathBelow(this.#root, path), 'r');
    try {
      for (let left = size; left > 0; ) {
        const chunk = Buffer.allocUnsafe(Math.min(left, CHUNK_BYTES));
        const read = readSync(file, chunk, 0, chunk.length, null);
        if (read === 0) throw new Error(`${path} became shorter while it was read`);
        left -= read;
        yield chunk.subarray(0, read);
      }
    } finally {
      closeSync(file);
    }
  }
}

const line = (value: unknown): Buffer => Buffer.from(`${JSON.stringify(value)}\n`);

/** Many small parts as few large ones. */
async function* inChunks(parts: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let waiting: Buffer[] = [];
  let length = 0;
  for await (const part of parts) {
    waiting.push(part);
    length += part.length;
    if (length < CHUNK_BYTES) continue;
    yield Buffer.concat(waiting);
    waiting = [];
    length = 0;
  }
  if (length > 0) yield Buffer.concat(waiting);
}
