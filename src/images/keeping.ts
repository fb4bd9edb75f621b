import type { ContentStore } from '../content/index.ts';
import type { LayerStore } from '../layers/index.ts';

/** What running work keeps from being collected. Ends with the work. */
export interface Keep {
  /** Keeps the blob; true if it is there. */
  blob(digest: string): Promise<boolean>;
  /** Keeps the layer, now or when it comes. */
  chain(chainId: string): void;
  end(): void;
}

/**
 * Keeps and deletions, one at a time: between a look at a blob and its deletion nobody can begin to count on it. Blobs are kept by
 * a lease of content, layers by a count here.
 */
export class Keeping {
  readonly #content: ContentStore;
  readonly #layers: LayerStore;
  readonly #chains = new Map<string, number>();
  #last: Promise<unknown> = Promise.resolve();

  constructor(content: ContentStore, layers: LayerStore) {
    this.#content = content;
    this.#layers = layers;
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work, work);
    this.#last = result.catch(() => {});
    return result;
  }

  open(): Keep {
    const lease = this.#content.lease();
    const own = new Set<string>();
    return {
      blob: (digest) =>
        this.#inTurn(async () => {
          lease.add(digest);
          return await this.#content.has(digest);
        }),
      chain: (chainId) => {
        if (own.has(chainId)) return;
        own.add(chainId);
        this.#chains.set(chainId, (this.#chains.get(chainId) ?? 0) + 1);
      },
      end: () => {
        lease.end();
        for (const chainId of own) {
          const left = (this.#chains.get(chainId) ?? 1) - 1;
          if (left === 0) this.#chains.delete(chainId);
          else this.#chains.set(chainId, left);
        }
        own.clear();
      },
    };
  }

  /** Deletes a blob that `needed` does not say yes to and nobody keeps. False if it stays. */
  deleteBlob(digest: string, needed: (digest: string) => boolean): Promise<boolean> {
    return this.#inTurn(async () => {
      if (needed(digest) || this.#content.leased().has(digest)) return false;
      await this.#content.delete(digest);
      return true;
    });
  }

  /** Removes a layer likewise. Throws conflict while layers or snapshots stand on it. */
  async deleteLayer(chainId: string, needed: (chainId: string) => boolean): Promise<boolean> {
    if (needed(chainId) || this.#chains.has(chainId)) return false;
    // The store takes the layer out of its records before it first waits.
    await this.#layers.remove(chainId);
    return true;
  }
}
