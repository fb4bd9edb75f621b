/** What running work counts on: things by their names (digests, chain ids), whether they are there yet or not. */
export interface Lease {
  /** From now on nobody removes it, until the lease ends. */
  add(name: string): void;
  end(): void;
}

/**
 * Who removes looks here, and takes the thing out of sight before it first waits; who adds does so at once. So there is no moment
 * at which one begins to count on what the other is removing. In memory: a lease is of this process, and ends with it.
 */
export class Leases {
  readonly #holders = new Map<string, number>();

  open(): Lease {
    const own = new Set<string>();
    let ended = false;
    return {
      add: (name) => {
        if (ended || own.has(name)) return;
        own.add(name);
        this.#holders.set(name, (this.#holders.get(name) ?? 0) + 1);
      },
      end: () => {
        ended = true;
        for (const name of own) {
          const left = (this.#holders.get(name) ?? 1) - 1;
          if (left === 0) this.#holders.delete(name);
          else this.#holders.set(name, left);
        }
        own.clear();
      },
    };
  }

  hold(name: string): boolean {
    return this.#holders.has(name);
  }
}
