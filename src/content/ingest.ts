import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { conflict, invalid, type Lease } from '../common/index.ts';
import { parseDigest, syncDirectory } from './layout.ts';
import type { Ingest } from './types.ts';

/** Bytes come in pieces as small as a network gives them; each write is a trip to another thread, so they are gathered. */
const BATCH_BYTES = 1024 * 1024;
/** writev(2) takes no more (IOV_MAX). */
const BATCH_PIECES = 1024;

/** The digest of a file's bytes, in hex. */
export async function hashFile(path: string, algorithm: string, hash: Hash = createHash(algorithm)): Promise<Hash> {
  for await (const chunk of createReadStream(path, { highWaterMark: 256 * 1024 })) hash.update(chunk as Buffer);
  return hash;
}

async function writeAll(file: FileHandle, batch: readonly Uint8Array[]): Promise<void> {
  for (let left = batch; left.length > 0; ) {
    const { bytesWritten } = await file.writev(left);
    left = after(left, bytesWritten);
  }
}

/** What is left of the pieces when their first bytes are done. */
function after(pieces: readonly Uint8Array[], bytes: number): Uint8Array[] {
  let done = bytes;
  const first = pieces.findIndex((piece) => {
    if (done < piece.length) return true;
    done -= piece.length;
    return false;
  });
  return first < 0 ? [] : [pieces[first]!.subarray(done), ...pieces.slice(first + 1)];
}

/**
 * One arriving blob. The file's bytes are always a prefix of what was written, so a resumed ingest hashes what is there
 * and goes on.
 */
export class FileIngest implements Ingest {
  readonly offset: number;
  readonly #path: string;
  readonly #file: FileHandle;
  readonly #hash: Hash;
  readonly #keep: boolean;
  readonly #lease: Lease;
  readonly #blobPath: (digest: string) => string;
  readonly #onEnd: () => void;
  #size: number;
  #ended = false;
  #gathered: Uint8Array[] = [];
  #gatheredBytes = 0;
  /** The batch on its way to the file; the next one is gathered and hashed meanwhile. */
  #writing: Promise<void> = Promise.resolve();

  private constructor(given: {
    path: string;
    file: FileHandle;
    hash: Hash;
    size: number;
    keep: boolean;
    lease: Lease;
    blobPath: (digest: string) => string;
    onEnd: () => void;
  }) {
    this.#path = given.path;
    this.#file = given.file;
    this.#hash = given.hash;
    this.#keep = given.keep;
    this.#lease = given.lease;
    this.#blobPath = given.blobPath;
    this.#onEnd = given.onEnd;
    this.offset = given.size;
    this.#size = given.size;
  }

  /** `keep`: what came is left for a later try when this one is closed before its commit. */
  static async open(
    path: string,
    options: { keep: boolean; lease: Lease; blobPath: (digest: string) => string; onEnd: () => void },
  ): Promise<FileIngest> {
    const file = await open(path, 'a', 0o644);
    try {
      const { size } = await file.stat();
      const hash = size === 0 ? createHash('sha256') : await hashFile(path, 'sha256');
      return new FileIngest({ ...options, path, file, hash, size });
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  async write(chunk: Uint8Array): Promise<void> {
    if (this.#ended) throw conflict('this ingest has ended');
    this.#gathered.push(chunk);
    this.#gatheredBytes += chunk.length;
    this.#hash.update(chunk);
    this.#size += chunk.length;
    if (this.#gatheredBytes >= BATCH_BYTES || this.#gathered.length >= BATCH_PIECES) await this.#send();
  }

  /** Waits for the batch before this one only. */
  async #send(): Promise<void> {
    await this.#writing;
    const batch = this.#gathered;
    this.#gathered = [];
    this.#gatheredBytes = 0;
    this.#writing = writeAll(this.#file, batch);
    // Looked at by the next batch or the end.
    this.#writing.catch(() => {});
  }

  async #flush(): Promise<void> {
    await this.#send();
    await this.#writing;
  }

  async commit(expected: { digest?: string; size?: number } = {}): Promise<{ digest: string; size: number }> {
    if (this.#ended) throw conflict('this ingest has ended');
    try {
      await this.#flush();
      const size = this.#size;
      if (expected.size !== undefined && expected.size !== size)
        throw invalid(`content has ${size} bytes where ${expected.size} were expected`);
      const own = `sha256:${this.#hash.digest('hex')}`;
      const digest = await this.#verified(own, expected.digest);
      const target = this.#blobPath(digest);
      this.#lease.add(digest);
      await mkdir(dirname(target), { recursive: true });
      if (!this.#keep) await this.#file.utimes(0, 0);
      await this.#file.datasync();
      await rename(this.#path, target);
      await syncDirectory(dirname(target));
      await this.#end();
      return { digest, size };
    } catch (error) {
      await this.discard();
      throw error;
    }
  }

  async #verified(own: string, wanted: string | undefined): Promise<string> {
    if (wanted === undefined) return own;
    const { algorithm } = parseDigest(wanted);
    const found =
      algorithm === 'sha256' ? own : `${algorithm}:${(await hashFile(this.#path, algorithm)).digest('hex')}`;
    if (found !== wanted) throw invalid(`content has digest ${found} where ${wanted} was expected`);
    return found;
  }

  async close(): Promise<void> {
    if (this.#ended) return;
    // A prefix is as good where the rest cannot be written: a full disk.
    await (this.#keep ? this.#flush() : this.#writing).catch(() => {});
    await this.#end();
    if (!this.#keep) await rm(this.#path, { force: true });
  }

  async discard(): Promise<void> {
    if (this.#ended) return;
    await this.#writing.catch(() => {});
    // Removed before the ref is free again: a next ingest of it must not open what is going away.
    await rm(this.#path, { force: true });
    await this.#end();
  }

  async #end(): Promise<void> {
    this.#ended = true;
    try {
      await this.#file.close();
    } finally {
      this.#onEnd();
    }
  }
}
