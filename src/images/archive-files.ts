import { posix } from 'node:path';
import { PassThrough, type Readable } from 'node:stream';
import { decompress, detectCompression, looksLikeArchive, peek, readTar, textOf } from '../archive/index.ts';
import { invalid, isKind } from '../common/index.ts';
import type { ContentStore, Ingest } from '../content/index.ts';
import type { LayerStore, StagedLayer } from '../layers/index.ts';
import type { Progress } from '../wire/index.ts';
import { type StoredBlob, written } from './blobs.ts';
import type { Keep } from './keeping.ts';
import { bar } from './progress.ts';
import { counted, teed } from './tee.ts';

const MAX_FILES = 100_000;
const MAX_LINKS = 16;
/** What tells an archive from other files: a block of tar. */
const HEAD_BYTES = 512;
/** Of a layer on its way to be unpacked. */
const FEED_BYTES = 1024 * 1024;

export interface ArchiveParts {
  content: ContentStore;
  layers: LayerStore;
  keep: Keep;
  progress: Progress;
  signal: AbortSignal;
}

/** A file whose bytes have all come. */
interface Received {
  writer: Ingest;
  /** Undefined if it is no layer, or none that can be unpacked. */
  staging: Promise<StagedLayer | undefined>;
}

const discardStaged = (staging: Received['staging']): Promise<void> =>
  staging.then(
    (staged) => staged?.discard(),
    () => {},
  );

/** A path inside the archive; `..` and `/` lead nowhere else, for nothing is ever written by such a name. */
const clean = (path: string) => posix.join('/', path).slice(1);

/**
 * The files of an image archive by clean path: blobs in content, and links to other files of the archive. What looks like a layer is
 * unpacked while it comes, for only the end of most archives tells what is one. `end` removes what turned out to be none.
 */
export class ArchiveFiles {
  readonly #blobs = new Map<string, StoredBlob>();
  readonly #links = new Map<string, string>();
  /** By digest of the blob. */
  readonly #staged = new Map<string, StagedLayer>();
  readonly #parts: ArchiveParts;
  readonly #known: ReadonlySet<string>;

  constructor(parts: ArchiveParts) {
    this.#parts = parts;
    this.#known = new Set(parts.layers.list().map(({ diffId }) => diffId));
  }

  /** Streams every file into content, where it is named by its digest alone. Throws invalid for what is no archive. */
  async read(source: Readable): Promise<void> {
    const { signal } = this.#parts;
    const { stream } = await decompress(source, { signal });
    let entries = 0;
    // The next file comes while the last ones go to disk.
    let before: Promise<void> = Promise.resolve();
    let last = before;
    try {
      for await (const { header, body } of readTar(stream)) {
        signal.throwIfAborted();
        if (++entries > MAX_FILES) throw invalid('archive holds too many files');
        const name = clean(textOf(header.name));
        // Of an entry that comes twice the later one counts, as tar has it.
        this.#links.delete(name);
        if (header.type === 'symlink')
          this.#links.set(name, clean(posix.join(posix.dirname(name), textOf(header.linkName ?? ''))));
        else if (header.type === 'hardlink') this.#links.set(name, clean(textOf(header.linkName ?? '')));
        if (header.type !== 'file') continue;
        await before;
        before = last;
        last = this.#keep(name, await this.#receive(name, header.size, body), before);
        last.catch(() => {});
      }
    } finally {
      await last.catch(() => {});
    }
    await last;
  }

  async #receive(name: string, size: number, body: AsyncIterable<Buffer>): Promise<Received> {
    const { content, keep, signal, progress } = this.#parts;
    const iterator = body[Symbol.asyncIterator]();
    const head = await peek(iterator, HEAD_BYTES);
    const whole = async function* () {
      if (head.length > 0) yield head;
      yield* { [Symbol.asyncIterator]: () => iterator };
    };
    // Most archives name a plain layer by its digest.
    const hex = detectCompression(head) === 'none' ? /[0-9a-f]{64}/.exec(name)?.[0] : undefined;
    const known = hex !== undefined && this.#known.has(`sha256:${hex}`);
    if (head.length < HEAD_BYTES || !looksLikeArchive(head) || known)
      return { writer: await written(content, whole(), keep, signal), staging: Promise.resolve(undefined) };
    const feed = new PassThrough({ highWaterMark: FEED_BYTES });
    const staging = this.#stage(feed);
    staging.catch(() => {});
    try {
      const tell = hex === undefined ? () => {} : bar(progress, hex.slice(0, 12), 'Loading layer', size);
      // A copy, for it is handed over to another thread.
      const source = teed(counted(whole(), tell), feed, (chunk) => new Uint8Array(chunk));
      const writer = await written(content, source, keep, signal);
      feed.end();
      return { writer, staging };
    } catch (error) {
      feed.destroy();
      await discardStaged(staging);
      throw error;
    }
  }

  /** Undefined for what cannot be unpacked: if it is a layer after all, its turn to be unpacked comes and says why. */
  async #stage(feed: PassThrough): Promise<StagedLayer | undefined> {
    try {
      return await this.#parts.layers.stage(feed, { signal: this.#parts.signal });
    } catch (error) {
      if (isKind(error, 'invalid')) return undefined;
      throw error;
    }
  }

  async #keep(name: string, { writer, staging }: Received, before: Promise<void>): Promise<void> {
    try {
      await before;
      const blob = await writer.commit();
      this.#blobs.set(name, blob);
      const staged = await staging;
      if (staged === undefined) return;
      await this.#staged.get(blob.digest)?.discard();
      this.#staged.set(blob.digest, staged);
    } catch (error) {
      await writer.discard();
      await discardStaged(staging);
      throw error;
    }
  }

  /** The file at a path, by links too. Throws invalid for a loop of them. */
  find(path: string): StoredBlob | undefined {
    let name = clean(path);
    for (let hops = 0; this.#links.has(name); hops++) {
      if (hops >= MAX_LINKS) throw invalid(`archive has a loop of links at ${path}`);
      name = this.#links.get(name)!;
    }
    return this.#blobs.get(name);
  }

  /** As `find`; throws invalid where there is none. */
  get(path: string): StoredBlob {
    const found = this.find(path);
    if (found === undefined) throw invalid(`invalid archive: ${path} is missing`);
    return found;
  }

  /** The layer of this blob, unpacked already; once. The caller places it. */
  takeStaged(digest: string): StagedLayer | undefined {
    const staged = this.#staged.get(digest);
    this.#staged.delete(digest);
    return staged;
  }

  /** Removes layers that nobody took. */
  async end(): Promise<void> {
    for (const staged of this.#staged.values()) await staged.discard();
    this.#staged.clear();
  }
}
