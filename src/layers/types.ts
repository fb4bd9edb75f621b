import type { Readable } from 'node:stream';
import type { Lease } from '../common/index.ts';

/**
 * Layers: unpacked file systems on disk, mounted by overlayfs.
 *
 * - A *layer* is read-only, named by its chain id (OCI config.md, "Layer ChainID"), unpacked once at `layers/<chain hex>/`
 *   with its parent beside it; it is unpacked under a temporary name and renamed when whole.
 * - A *snapshot* is a writable upper directory over a chain (a container, a build step), named by an id. It can be mounted,
 *   compared with its chain and turned into a layer archive.
 *
 * A layer is removed by nobody while a layer, a snapshot or a lease stands on it; whoever makes one or counts on one has a lease.
 */
export interface Layer {
  chainId: string;
  diffId: string;
  parent: string | undefined;
  /** Bytes of the unpacked files of this layer alone. */
  sizeBytes: number;
}

/** A layer that is unpacked and stands on nothing yet. Whoever has it places or discards it. */
export interface StagedLayer {
  readonly diffId: string;
  /** Puts it over `parent`, which the caller holds; once. The lease holds what is returned. */
  place(parent: string | undefined, lease: Lease): Promise<Layer>;
  /** Removes it, unless it was placed. */
  discard(): Promise<void>;
}

export type ChangeKind = 'A' | 'C' | 'D';
export interface Change {
  /** Absolute inside the container. */
  path: string;
  kind: ChangeKind;
}

export interface SnapshotPaths {
  lower: string[];
  upper: string;
  work: string;
  merged: string;
}

export interface LayerStore {
  get(chainId: string): Layer | undefined;
  list(): Layer[];
  /**
   * Unpacks one archive (plain tar or gzip, zstd, xz, bzip2: seen by magic) over `parent`. Returns at once if the chain is already there
   * (then the source is not read: pass a function). Two calls for the same chain share one run. The parent may be one whose unpacking
   * has begun (with its `diffId` given): both go on side by side. Throws invalid for
   * an archive that does not match `diffId` (when given), is broken, or tries to leave its place. The lease holds what is returned.
   */
  unpack(
    source: () => Promise<Readable>,
    lease: Lease,
    options: { parent?: string; diffId?: string; signal?: AbortSignal; onProgress?: (bytesRead: number) => void },
  ): Promise<Layer>;
  /**
   * Unpacks an archive (as `unpack`) while it is not known yet which layers it stands on. Throws invalid for one that is broken or
   * tries to leave its place. Ends the source.
   */
  stage(source: Readable, options: { signal: AbortSignal }): Promise<StagedLayer>;
  /** Holds chain ids, of layers that are there or not yet. */
  lease(): Lease;
  /** Throws conflict while a layer or snapshot stands on it, or a lease holds it. It is out of the records before this first waits. */
  remove(chainId: string): Promise<void>;

  /** Makes a writable snapshot over a chain (undefined: over nothing). On disk before it returns. `owner` is free text that reconcile uses, e.g. `container` or `build`. */
  createSnapshot(id: string, options: { parent?: string; owner: string }): Promise<void>;
  /** Mounts the overlay (idempotent) and returns the merged directory. */
  mount(id: string, options?: { readonly?: boolean }): Promise<string>;
  unmount(id: string): Promise<void>;
  mounted(id: string): boolean;
  /** Unmounts and deletes. Not an error if absent. */
  removeSnapshot(id: string): Promise<void>;
  snapshots(): { id: string; parent: string | undefined; owner: string }[];
  paths(id: string): SnapshotPaths;
  /** Changes against the chain, sorted by path, as `docker diff` shows them. */
  changes(id: string): Promise<Change[]>;
  /** The snapshot's changes as one OCI layer tar (uncompressed; whiteouts as `.wh.` files; entries sorted; deterministic). `clampMtime`: seconds since the epoch; later times become this one. */
  diffTar(id: string, options?: { signal?: AbortSignal; clampMtime?: number }): Readable;
  /** Turns a snapshot's upper directory into the layer with this diff id without unpacking it again; the snapshot is gone afterwards. The lease holds it. */
  promote(id: string, diffId: string, lease: Lease): Promise<Layer>;
  /** Bytes of the snapshot's own files. */
  usage(id: string): Promise<number>;
  /** At start: unmounts what no live snapshot needs (`keepMounted` says which), removes half-made layers. */
  reconcile(keepMounted: (id: string) => boolean): Promise<void>;
}
