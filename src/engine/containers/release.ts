import { setImmediate } from 'node:timers/promises';
import type { Logger } from '../../common/index.ts';
import type { LayerStore } from '../../layers/index.ts';
import type { NetworkService } from '../../network/index.ts';
import type { Monitor } from '../../runtime/index.ts';
import type { VolumeStore } from '../../volumes/index.ts';
import { isPinned } from './mount-specs.ts';
import { dropPins } from './pins.ts';
import { imageSnapshot } from './places.ts';
import type { ContainerRecord } from './record.ts';
import { type Roots, RUN } from './roots.ts';
import { dropShm } from './shm.ts';

export interface ReleaseParts {
  monitor: Monitor;
  networks: NetworkService;
  volumes: VolumeStore;
  layers: LayerStore;
  roots: Roots;
  execRoot: string;
  log: Logger;
}

/**
 * Gives back what a run held, in two steps: what others may want at once, addresses and volumes, before anybody is told of the end; bundle and
 * mounts behind the answer. A failing step is logged and does not keep the others.
 */
export class Releases {
  readonly #parts: ReleaseParts;
  readonly #pending = new Map<string, Promise<void>>();
  constructor(parts: ReleaseParts) {
    this.#parts = parts;
  }

  /** Network first, then volumes: the order of Docker's events. */
  async shared(record: ContainerRecord): Promise<void> {
    const { networks, volumes } = this.#parts;
    await this.#guard(record, 'network release', networks.closeSandbox(record.id));
    for (const { type, source, destination } of record.mounts)
      if (type === 'volume')
        await this.#guard(record, 'volume release', volumes.unmount(source, { id: record.id, destination }));
  }

  /** Starts with the next turn of the loop, so that those who wait for the end are answered first. */
  own(record: ContainerRecord): Promise<void> {
    const work = (async () => {
      await setImmediate();
      const { monitor, roots, layers } = this.#parts;
      await this.#guard(record, 'bundle removal', monitor.delete(record.id));
      await this.#guard(record, 'unmount', roots.drop(record.id, RUN));
      if (record.host.IpcMode === 'shareable')
        await this.#guard(record, 'shm', dropShm(this.#parts.execRoot, record.id));
      if (record.mounts.some(isPinned)) await this.#guard(record, 'pins', dropPins(this.#parts.execRoot, record.id));
      for (const { type, source } of record.mounts)
        if (type === 'image')
          await this.#guard(record, 'image unmount', layers.removeSnapshot(imageSnapshot(record.id, source)));
    })();
    this.#pending.set(record.id, work);
    return work.finally(() => {
      if (this.#pending.get(record.id) === work) this.#pending.delete(record.id);
    });
  }

  /** Resolves when nothing of the last run is left. */
  async done(id: string): Promise<void> {
    await this.#pending.get(id);
  }

  async all(record: ContainerRecord): Promise<void> {
    await Promise.all([this.shared(record), this.own(record)]);
  }

  async #guard({ id }: ContainerRecord, what: string, work: Promise<unknown>): Promise<void> {
    await work.catch((error: unknown) => this.#parts.log.warn(what, { id, error }));
  }
}
