import { mkdirSync, renameSync, rmdirSync } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { packDirectory, removeTree, treeChanges, treeSize } from '../archive/index.ts';
import { conflict, isErrno, type Lease, Leases, type Logger, notFound } from '../common/index.ts';
import type { Database } from '../state/index.ts';
import { mounts, syncFileSystem, unmountAside } from '../sys/index.ts';
import { chainIdOf } from './chain.ts';
import { mountOverlay } from './overlay.ts';
import { openPlaces, type Places } from './places.ts';
import { reconcile } from './reconcile.ts';
import { Records, type SnapshotRecord } from './records.ts';
import { discard, setAside } from './removal.ts';
import type { Change, Layer, LayerStore, SnapshotPaths, StagedLayer } from './types.ts';
import { Unpacker } from './unpacker.ts';

export interface LayerStoreOptions {
  /** On a file system that overlayfs can use as upper directory. */
  dir: string;
  /** For mount points; what a reboot clears. */
  execRoot: string;
  db: Database;
  log: Logger;
}

/** Opens the store. Call `reconcile` before the first use. */
export async function openLayerStore(options: LayerStoreOptions): Promise<LayerStore> {
  const places = openPlaces(options.dir, options.execRoot);
  const records = new Records(options.db);
  const mounted = new Set(
    (await mounts())
      .filter(({ target }) => target.startsWith(`${places.mounts}/`))
      .map(({ target }) => target.slice(places.mounts.length + 1)),
  );
  return new DiskLayerStore(places, records, options, mounted);
}

class DiskLayerStore implements LayerStore {
  readonly #places: Places;
  readonly #records: Records;
  readonly #db: Database;
  readonly #log: Logger;
  readonly #unpacker: Unpacker;
  readonly #mounted: Set<string>;
  /** Snapshots on their way out of the tree. */
  readonly #leaving = new Map<string, Promise<void>>();
  readonly #leases = new Leases();

  constructor(places: Places, records: Records, { db, log }: LayerStoreOptions, mounted: Set<string>) {
    this.#places = places;
    this.#records = records;
    this.#db = db;
    this.#log = log;
    this.#mounted = mounted;
    this.#unpacker = new Unpacker(places, records, db, this.#leases, (chainId) => this.#chain(chainId));
  }

  get(chainId: string): Layer | undefined {
    return this.#records.layer(chainId);
  }
  list(): Layer[] {
    return this.#records.layers();
  }
  unpack(source: () => Promise<Readable>, lease: Lease, options: Parameters<LayerStore['unpack']>[2]): Promise<Layer> {
    return this.#unpacker.unpack(source, lease, options);
  }

  stage(source: Readable, options: { signal: AbortSignal }): Promise<StagedLayer> {
    return this.#unpacker.stage(source, options);
  }

  /** Directories of a chain, topmost first. */
  #chain(chainId: string | undefined): string[] {
    const found: string[] = [];
    for (let next = chainId; next !== undefined; ) {
      const layer = this.#records.layer(next);
      if (layer === undefined) throw notFound(`layer ${next}: not found`);
      found.push(this.#places.layer(next));
      next = layer.parent;
    }
    return found;
  }

  lease(): Lease {
    return this.#leases.open();
  }

  async remove(chainId: string): Promise<void> {
    const aside = this.#db.transaction(() => {
      if (this.#records.layer(chainId) === undefined) return undefined;
      const { layers, snapshots } = this.#records.users(chainId);
      if (layers + snapshots > 0)
        throw conflict(`layer ${chainId} is in use by ${layers} layers and ${snapshots} snapshots`);
      if (this.#leases.hold(chainId)) throw conflict(`layer ${chainId} is in use`);
      this.#records.removeLayer(chainId);
      return setAside(this.#places, this.#places.layer(chainId));
    });
    if (aside !== undefined) await removeTree(aside);
  }

  async createSnapshot(id: string, { parent, owner }: { parent?: string; owner: string }): Promise<void> {
    if (this.#records.snapshot(id) !== undefined) throw conflict(`snapshot ${id} exists already`);
    if (parent !== undefined && this.#records.layer(parent) === undefined) throw notFound(`layer ${parent}: not found`);
    this.#makeDirectories(id);
    this.#records.addSnapshot({ id, parent, owner });
  }

  #makeDirectories(id: string): void {
    mkdirSync(this.#places.upper(id), { recursive: true, mode: 0o755 });
    mkdirSync(this.#places.work(id), { recursive: true, mode: 0o700 });
  }

  #snapshot(id: string): SnapshotRecord {
    const found = this.#records.snapshot(id);
    if (found === undefined) throw notFound(`snapshot ${id}: not found`);
    return found;
  }

  async mount(id: string, { readonly = false }: { readonly?: boolean } = {}): Promise<string> {
    const { lower, upper, work, merged } = this.paths(id);
    await this.#leaving.get(id)?.catch(() => {});
    if (this.#mounted.has(id)) return merged;
    mkdirSync(merged, { recursive: true, mode: 0o700 });
    this.#makeDirectories(id);
    mountOverlay({ target: merged, lower: lower.length === 0 ? [this.#places.empty] : lower, upper, work, readonly });
    this.#mounted.add(id);
    return merged;
  }

  /** One at a time for a snapshot; `mount` waits for it. */
  unmount(id: string): Promise<void> {
    const work = (this.#leaving.get(id) ?? Promise.resolve())
      .catch(() => {})
      .then(() => this.#unmount(id))
      .finally(() => {
        if (this.#leaving.get(id) === work) this.#leaving.delete(id);
      });
    this.#leaving.set(id, work);
    return work;
  }

  async #unmount(id: string): Promise<void> {
    const merged = this.#places.merged(id);
    if (this.#mounted.delete(id))
      try {
        await unmountAside(merged);
      } catch (error) {
        // Somebody else unmounted it.
        if (!isErrno(error, 'EINVAL') && !isErrno(error, 'ENOENT')) {
          this.#mounted.add(id);
          throw error;
        }
      }
    try {
      rmdirSync(merged);
    } catch (error) {
      if (!isErrno(error, 'ENOENT')) this.#log.warn('mount point is not removed', { path: merged, error });
    }
  }

  mounted(id: string): boolean {
    return this.#mounted.has(id);
  }

  async removeSnapshot(id: string): Promise<void> {
    const path = this.#places.snapshot(id);
    await this.unmount(id);
    const aside = setAside(this.#places, path);
    this.#records.removeSnapshot(id);
    if (aside !== undefined) await removeTree(aside);
  }

  snapshots(): SnapshotRecord[] {
    return this.#records.snapshots();
  }

  paths(id: string): SnapshotPaths {
    const { parent } = this.#snapshot(id);
    return {
      lower: this.#chain(parent),
      upper: this.#places.upper(id),
      work: this.#places.work(id),
      merged: this.#places.merged(id),
    };
  }

  async changes(id: string): Promise<Change[]> {
    const { lower, upper } = this.paths(id);
    return await treeChanges(upper, lower);
  }

  diffTar(id: string, options: { signal?: AbortSignal; clampMtime?: number } = {}): Readable {
    // Zeros rather than sparse entries unless they would be many: engines that take layers apart and put them together again
    // (tar-split, in dockerd) lose sparse entries.
    return packDirectory(this.paths(id).upper, '', { ...options, as: '', whiteouts: true, sparseFromBytes: 2 ** 30 });
  }

  async promote(id: string, diffId: string, lease: Lease): Promise<Layer> {
    const { parent } = this.#snapshot(id);
    const chainId = chainIdOf(parent, diffId);
    lease.add(chainId);
    await this.unmount(id);
    const upper = this.#places.upper(id);
    const layer: Layer = { chainId, diffId, parent, sizeBytes: await treeSize(upper) };
    const handle = await open(this.#places.dir, 'r');
    try {
      if (this.#records.layer(chainId) === undefined) await syncFileSystem(handle.fd);
      // Another may have made the same meanwhile.
      const there = this.#db.transaction(() => {
        const known = this.#records.layer(chainId);
        this.#records.removeSnapshot(id);
        if (known !== undefined) return known;
        this.#records.addLayer(layer);
        renameSync(upper, this.#places.layer(chainId));
        return undefined;
      });
      await handle.sync();
      await discard(this.#places, this.#places.snapshot(id));
      return there ?? layer;
    } finally {
      await handle.close();
    }
  }

  async usage(id: string): Promise<number> {
    this.#snapshot(id);
    return await treeSize(this.#places.upper(id));
  }

  reconcile(keepMounted: (id: string) => boolean): Promise<void> {
    return reconcile(this.#places, this.#records, this.#mounted, keepMounted, this.#log);
  }
}
