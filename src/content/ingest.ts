import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { conflict, invalid, type Lease } from '../common/index.ts';
import { parseDigest, syncDirectory } from './layout.ts';
import type { Ingest } from './types.ts';

/** The digest of a file's bytes, in hex. */
export async function hashFile(path: string, algorithm: string, hash: Hash = createHash(algorithm)): Promise<Hash> {
  for await (const chunk of createReadStream(path, { highWaterMark: 256 * 1024 })) hash.update(chunk as Buffer);
  return hash;
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
    for (let done = 0; done < chunk.length; )
      done += (await this.#file.write(chunk, done, chunk.length - done)).bytesWritten;
    this.#hash.update(chunk);
    this.#size += chunk.length;
  }

  async commit(expected: { digest?: string; size?: number } = {}): Promise<{ digest: string; size: number }> {
    if (this.#ended) throw conflict('this ingest has ended');
    try {
      const size = this.#size;
      if (expected.size !== undefined && expected.size !== size)
        throw invalid(`content has ${size} bytes where ${expected.size} were expected`);
      const own = `sha256:${this.#hash.digest('hex')}`;
      const digest = await this.#verified(own, expected.digest);
      const target = this.#blobPath(digest);
      this.#lease.add(digest);
      await mkdir(dirname(target), { recursive: true });
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
    await this.#end();
    if (!this.#keep) await rm(this.#path, { force: true });
  }

  async discard(): Promise<void> {
    if (this.#ended) return;
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
