import type { Readable } from 'node:stream';
import type { Lease } from '../common/index.ts';
import type { Descriptor } from '../wire/index.ts';

/**
 * Content: bytes named by their digest, in an OCI image layout (`blobs/<alg>/<hex>`, `index.json`, `oci-layout`).
 *
 * Life of a blob: `ingest` opens an invisible file under `ingest/`; bytes are hashed as they come; `commit` checks digest
 * and size, puts it into the lease, fsyncs, renames: now it is content. An ingest with a `ref` that was broken off is resumed by
 * opening the same ref. Content that nobody references is deleted by the collector (images room), but never while a lease holds it.
 *
 * What a broken-off work is to find again comes under a ref, and its time says when it came. Other blobs are of the epoch: if the work that
 * brought them did not end well, nobody comes back for them.
 */
export interface Ingest {
  /** Bytes already there (of an earlier, broken try with the same ref). */
  readonly offset: number;
  /** The chunk must not be changed afterwards: it may be written later. A failure may show at a later call. */
  write(chunk: Uint8Array): Promise<void>;
  /** Throws invalid on a mismatch, and then nothing is left. Returns the digest (`sha256:…`) and size. */
  commit(expected?: { digest?: string; size?: number }): Promise<{ digest: string; size: number }>;
  /** Keeps what came for a later resume if the ingest has a ref, else removes it. */
  close(): Promise<void>;
  /** Throws away what came. */
  discard(): Promise<void>;
}

export interface ContentStore {
  has(digest: string): Promise<boolean>;
  /** Size in bytes, or undefined if absent. */
  size(digest: string): Promise<number | undefined>;
  /** Throws not-found. `start` is a byte offset. */
  open(digest: string, range?: { start?: number }): Promise<Readable>;
  /** The whole blob, verified against its digest; throws invalid if larger than maxBytes (default 4 MiB) or damaged. */
  read(digest: string, maxBytes?: number): Promise<Buffer>;
  /** The lease holds the blob from its commit on. `ref`: see above. */
  ingest(lease: Lease, options?: { ref?: string }): Promise<Ingest>;
  /** A small blob in one step. */
  put(bytes: Uint8Array, lease: Lease, expected?: { digest?: string }): Promise<{ digest: string; size: number }>;
  path(digest: string): string;
  /** False if a lease holds it, and then it stays. It is out of sight before this first waits. */
  delete(digest: string): Promise<boolean>;
  list(): AsyncIterable<{ digest: string; size: number }>;
  /** Holds digests, of blobs that are there or not yet. */
  lease(): Lease;
  /** Rewrites index.json: what other tools see of this store. */
  writeIndex(entries: readonly Descriptor[]): Promise<void>;
}
