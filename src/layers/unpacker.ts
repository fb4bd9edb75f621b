import { mkdirSync, renameSync } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { type ExtractResult, extractLayer, settleLayer } from '../archive/index.ts';
import { cancelled, invalid, type Lease, type Leases, notFound } from '../common/index.ts';
import type { Database } from '../state/index.ts';
import { syncFileSystem } from '../sys/index.ts';
import { chainIdOf } from './chain.ts';
import type { Places } from './places.ts';
import type { Records } from './records.ts';
import { discard } from './removal.ts';
import type { Layer, LayerStore, StagedLayer } from './types.ts';

type UnpackOptions = Parameters<LayerStore['unpack']>[2];

/** One unpacking, and who waits for it. It is cancelled when the last of them has gone. */
interface Run {
  result: Promise<Layer>;
  abort: AbortController;
  waiters: number;
  progress: Set<(bytesRead: number) => void>;
}

/** A source may take long to open and know nothing of the signal; one that comes too late is closed. */
async function unlessAborted(opening: Promise<Readable>, signal: AbortSignal): Promise<Readable> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = () => {
    reject(cancelled('cancelled'));
    opening.then(
      (stream) => stream.destroy(),
      () => {},
    );
  };
  signal.addEventListener('abort', abort);
  try {
    return await Promise.race([opening, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

/** Unpacks archives into layers: once a chain, under a passing name until it is whole, verified and on disk. */
export class Unpacker {
  readonly #places: Places;
  readonly #records: Records;
  readonly #db: Database;
  readonly #lower: (chainId: string | undefined) => string[];
  readonly #running = new Map<string, Run>();
  readonly #leases: Leases;

  constructor(
    places: Places,
    records: Records,
    db: Database,
    leases: Leases,
    lower: (chainId: string | undefined) => string[],
  ) {
    this.#places = places;
    this.#records = records;
    this.#db = db;
    this.#leases = leases;
    this.#lower = lower;
  }

  async unpack(source: () => Promise<Readable>, lease: Lease, options: UnpackOptions): Promise<Layer> {
    const { parent, diffId, signal, onProgress } = options;
    if (signal?.aborted) throw cancelled('cancelled');
    if (parent !== undefined && this.#records.layer(parent) === undefined && !this.#running.has(parent))
      throw notFound(`layer ${parent}: not found`);
    const chainId = diffId === undefined ? undefined : chainIdOf(parent, diffId);
    if (chainId !== undefined) lease.add(chainId);
    const there = chainId === undefined ? undefined : this.#records.layer(chainId);
    if (there !== undefined) return there;
    const known = chainId === undefined ? undefined : this.#running.get(chainId);
    const run =
      known !== undefined && !known.abort.signal.aborted ? known : this.#start(source, lease, chainId, parent, diffId);
    if (onProgress !== undefined) run.progress.add(onProgress);
    run.waiters++;
    const { promise: left, reject } = Promise.withResolvers<never>();
    const leave = () => {
      if (run.waiters === 1) run.abort.abort();
      else reject(cancelled('cancelled'));
    };
    signal?.addEventListener('abort', leave);
    try {
      return await Promise.race([run.result, left]);
    } finally {
      run.waiters--;
      signal?.removeEventListener('abort', leave);
      if (onProgress !== undefined) run.progress.delete(onProgress);
    }
  }

  #start(
    source: () => Promise<Readable>,
    lease: Lease,
    chainId: string | undefined,
    parent: string | undefined,
    diffId: string | undefined,
  ): Run {
    const abort = new AbortController();
    const progress = new Set<(bytesRead: number) => void>();
    const onProgress = (bytes: number) => {
      for (const each of progress) each(bytes);
    };
    // The run's own: whoever began it may leave before its end.
    const below = this.#leases.open();
    if (parent !== undefined) below.add(parent);
    const result = this.#run(source, lease, { parent, diffId, signal: abort.signal, onProgress }).finally(() => {
      if (chainId !== undefined && this.#running.get(chainId) === run) this.#running.delete(chainId);
      below.end();
    });
    const run: Run = { result, abort, waiters: 0, progress };
    if (chainId !== undefined) this.#running.set(chainId, run);
    return run;
  }

  async #run(
    source: () => Promise<Readable>,
    lease: Lease,
    options: UnpackOptions & { signal: AbortSignal },
  ): Promise<Layer> {
    const { parent, diffId, signal, onProgress } = options;
    const below = parent === undefined ? undefined : this.#running.get(parent)?.result;
    const staged = await this.stage(await unlessAborted(source(), signal), { signal, onProgress });
    try {
      if (diffId !== undefined && staged.diffId !== diffId)
        throw invalid(`layer archive has diff id ${staged.diffId} where ${diffId} was expected`);
      await below;
      return await staged.place(parent, lease);
    } catch (error) {
      await staged.discard();
      throw error;
    }
  }

  async stage(
    archive: Readable,
    options: { signal: AbortSignal; onProgress?: UnpackOptions['onProgress'] },
  ): Promise<StagedLayer> {
    const passing = this.#places.passingName();
    mkdirSync(passing, { mode: 0o755 });
    const remove = () => discard(this.#places, passing);
    try {
      const result = await extractLayer(passing, archive, options);
      return {
        diffId: result.diffId,
        place: (parent, lease) => this.#place(passing, result, parent, lease),
        discard: remove,
      };
    } catch (error) {
      await remove();
      throw error;
    }
  }

  async #place(
    passing: string,
    { diffId, sizeBytes, unsettled }: ExtractResult,
    parent: string | undefined,
    lease: Lease,
  ): Promise<Layer> {
    const chainId = chainIdOf(parent, diffId);
    lease.add(chainId);
    try {
      await settleLayer(passing, this.#lower(parent), unsettled);
      return await this.#keep(passing, { chainId, diffId, parent, sizeBytes });
    } catch (error) {
      await discard(this.#places, passing);
      throw error;
    }
  }

  async #keep(passing: string, layer: Layer): Promise<Layer> {
    const handle = await open(this.#places.dir, 'r');
    try {
      await syncFileSystem(handle.fd);
      const there = this.#records.layer(layer.chainId);
      if (there !== undefined) {
        await discard(this.#places, passing);
        return there;
      }
      this.#db.transaction(() => {
        this.#records.addLayer(layer);
        renameSync(passing, this.#places.layer(layer.chainId));
      });
      await handle.sync();
    } finally {
      await handle.close();
    }
    return layer;
  }
}
