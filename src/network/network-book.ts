import { conflict, notFound } from '../common/index.ts';
import { parseAddress } from './address.ts';
import { AddressPool } from './ipam.ts';
import type { NetworkStore, StoredNetwork, StoredSandbox } from './store.ts';

/** All networks with their free and taken addresses: memory for speed, the store for truth. */
export class NetworkBook {
  readonly #store: NetworkStore;
  readonly #byId = new Map<string, StoredNetwork>();
  readonly #pools = new Map<string, AddressPool[]>();

  constructor(store: NetworkStore) {
    this.#store = store;
    for (const network of store.networks()) this.#enter(network);
    for (const sandbox of store.sandboxes()) this.lease(sandbox);
  }

  #enter(network: StoredNetwork): void {
    this.#byId.set(network.id, network);
    this.#pools.set(
      network.id,
      network.pools.map((pool) => new AddressPool(pool)),
    );
  }

  /** Marks all addresses of a stored sandbox as taken. */
  lease(sandbox: StoredSandbox): void {
    for (const endpoint of sandbox.endpoints)
      for (const text of [endpoint.ipv4, endpoint.ipv6]) {
        const address = parseAddress(text.split('/')[0]!);
        if (address !== undefined)
          this.pools(endpoint.networkId)
            .find((pool) => pool.contains(address))
            ?.take(address);
      }
  }

  all(): StoredNetwork[] {
    return [...this.#byId.values()];
  }
  byId(id: string): StoredNetwork | undefined {
    return this.#byId.get(id);
  }
  byName(name: string): StoredNetwork | undefined {
    return this.all().find((network) => network.name === name);
  }
  pools(networkId: string): AddressPool[] {
    return this.#pools.get(networkId) ?? [];
  }

  /** By id, name, or unique id prefix, in this order, as moby. */
  resolve(ref: string): StoredNetwork {
    const found = this.#byId.get(ref) ?? this.byName(ref);
    if (found !== undefined) return found;
    const matches = ref === '' ? [] : this.all().filter((network) => network.id.startsWith(ref));
    if (matches.length > 1)
      throw conflict(`network ${ref} is ambiguous (${matches.length} matches found based on ID prefix)`);
    if (matches[0] === undefined) throw notFound(`network ${ref} not found`);
    return matches[0];
  }

  add(network: StoredNetwork): void {
    this.#store.saveNetwork(network);
    this.#enter(network);
  }
  drop(id: string): void {
    this.#store.dropNetwork(id);
    this.#byId.delete(id);
    this.#pools.delete(id);
  }
}
