import type { Lease } from './types.ts';

/** Counts of what running work needs. In memory: a lease is of this process, and ends with it. */
export class Leases {
  readonly #holders = new Map<string, number>();

  open(): Lease {
    const own = new Set<string>();
    let ended = false;
    return {
      add: (digest) => {
        if (ended || own.has(digest)) return;
        own.add(digest);
        this.#holders.set(digest, (this.#holders.get(digest) ?? 0) + 1);
      },
      end: () => {
        ended = true;
        for (const digest of own) {
          const left = (this.#holders.get(digest) ?? 1) - 1;
          if (left === 0) this.#holders.delete(digest);
          else this.#holders.set(digest, left);
        }
        own.clear();
      },
    };
  }

  digests(): ReadonlySet<string> {
    return new Set(this.#holders.keys());
  }
}
