import type { Readable } from 'node:stream';
import type { Descriptor } from '../wire/index.ts';

/**
 * Content: bytes named by their digest, in an OCI image layout (`blobs/<alg>/<hex>`, `index.json`, `oci-layout`).
 *
 * Life of a blob: `ingest` opens an invisible file under `ingest/`; bytes are hashed as they come; `commit` checks digest
 * and size, fsyncs, renames: now it is content. An ingest with a `ref` that was broken off is resumed by opening the same ref.
 * Content that nobody references is deleted by the collector (images room); a lease keeps it from being collected meanwhile.
 */
export interface Ingest {
  /** Bytes already there (of an earlier, broken try with the same ref). */
  readonly offset: number;
  write(chunk: Uint8Array): Promise<void>;
  /** Throws invalid on a mismatch, and then nothing is left. Returns the digest (`sha256:…`) and size. */
  commit(expected?: { digest?: string; size?: number }): Promise<{ digest: string; size: number }>;
  /** Keeps what came for a later resume if the ingest has a ref, else removes it. */
  close(): Promise<void>;
  /** Throws away what came. */
  discard(): Promise<void>;
}

export interface Lease {
  /** Keeps these digests from collection until the lease ends. */
  add(digest: string): void;
  end(): void;
}

export interface ContentStore {
  has(digest: string): Promise<boolean>;
  /** Size in bytes, or undefined if absent. */
  size(digest: string): Promise<number | undefined>;
  /** Throws not-found. `start` is a byte offset. */
  open(digest: string, range?: { start?: number }): Promise<Readable>;
  /** The whole blob, verified against its digest; throws invalid if larger than maxBytes (default 4 MiB) or damaged. */
  read(digest: string, maxBytes?: number): Promise<Buffer>;
  ingest(options?: { ref?: string }): Promise<Ingest>;
  /** A small blob in one step. */
  put(bytes: Uint8Array, expected?: { digest?: string }): Promise<{ digest: string; size: number }>;
  path(digest: string): string;
  delete(digest: string): Promise<void>;
  list(): AsyncIterable<{ digest: string; size: number }>;
  lease(): Lease;
  /** Digests that some lease keeps. */
  leased(): ReadonlySet<string>;
  /** Rewrites index.json: what other tools see of this store. */
  writeIndex(entries: readonly Descriptor[]): Promise<void>;
}
