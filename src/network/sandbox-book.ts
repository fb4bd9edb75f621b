import { join } from 'node:path';
import { conflict, notFound, shortId } from '../common/index.ts';
import type { NetworkBook } from './network-book.ts';
import type { NetworkStore, StoredEndpoint, StoredNetwork, StoredSandbox } from './store.ts';

/** Open sandboxes: memory for speed, the store for truth. */
export class SandboxBook {
  readonly #execRoot: string;
  readonly #store: NetworkStore;
  readonly #networks: NetworkBook;
  readonly #open = new Map<string, StoredSandbox>();

  constructor(execRoot: string, store: NetworkStore, networks: NetworkBook) {
    this.#execRoot = execRoot;
    this.#store = store;
    this.#networks = networks;
    for (const sandbox of store.sandboxes()) {
      // What was being taken apart when the daemon ended no longer keeps its networks from being removed.
      const endpoints = sandbox.endpoints.filter(({ networkId }) => networks.byId(networkId) !== undefined);
      this.#open.set(sandbox.containerId, { ...sandbox, endpoints });
    }
  }

  all(): StoredSandbox[] {
    return [...this.#open.values()];
  }
  get(containerId: string): StoredSandbox | undefined {
    return this.#open.get(containerId);
  }
  must(containerId: string): StoredSandbox {
    const sandbox = this.#open.get(containerId);
    if (sandbox === undefined) throw conflict(`container ${containerId} is not running`);
    return sandbox;
  }

  /** By container name, id or a prefix of it: what a link names. */
  byName(ref: string): StoredSandbox | undefined {
    return this.all().find(
      (sandbox) => sandbox.containerName === ref || sandbox.containerId === ref || sandbox.containerId.startsWith(ref),
    );
  }

  networkOf(endpoint: StoredEndpoint): StoredNetwork {
    const network = this.#networks.byId(endpoint.networkId);
    if (network === undefined) throw notFound(`network ${endpoint.networkId} not found`);
    return network;
  }

  netnsPath(sandbox: StoredSandbox): string {
    return join(this.#execRoot, 'netns', sandbox.kind === 'host' ? 'default' : shortId(sandbox.sandboxId));
  }

  /** A new sandbox. On disk before the machine is touched: if the daemon dies in the midst, the reconcile finds what to take apart. */
  add(sandbox: StoredSandbox): void {
    this.save(sandbox);
    this.#open.set(sandbox.containerId, sandbox);
  }
  save(sandbox: StoredSandbox): void {
    this.#store.saveSandbox(sandbox);
  }
  /** No longer open; its record stays until it is taken apart. */
  leave(containerId: string): void {
    this.#open.delete(containerId);
  }
  drop(containerId: string): void {
    this.#store.dropSandbox(containerId);
  }
}
