import type { LayerStore } from '../../layers/index.ts';

/** The holder that a run is; others name themselves. */
export const RUN = 'run';

/** Who needs a container's root file system mounted: its run, copies, exports. It is mounted for the first and unmounted after the last. */
export class Roots {
  readonly #layers: LayerStore;
  readonly #holders = new Map<string, Set<string>>();
  constructor(layers: LayerStore) {
    this.#layers = layers;
  }

  /** Returns the merged directory. */
  async hold(id: string, holder: string): Promise<string> {
    const holders = this.#holders.get(id) ?? new Set();
    this.#holders.set(id, holders.add(holder));
    return this.#layers.mount(id);
  }

  /** Also for a mount that an earlier daemon left, of which nobody here is a holder. */
  async drop(id: string, holder: string): Promise<void> {
    const holders = this.#holders.get(id);
    holders?.delete(holder);
    if (holders !== undefined && holders.size > 0) return;
    this.#holders.delete(id);
    await this.#layers.unmount(id);
  }
}
