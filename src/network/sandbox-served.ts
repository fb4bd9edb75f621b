import { hasDns } from './answers.ts';
import type { CompanionClient } from './companion-client.ts';
import type { SandboxBook } from './sandbox-book.ts';
import type { NameFiles } from './sandbox-names.ts';
import type { SandboxPorts } from './sandbox-ports.ts';
import type { StoredSandbox } from './store.ts';

/** What the companion does for sandboxes: names and relayed ports. */
export class SandboxServed {
  readonly #companion: CompanionClient;
  readonly #names: NameFiles;
  readonly #ports: SandboxPorts;
  readonly #sandboxes: SandboxBook;

  constructor(companion: CompanionClient, names: NameFiles, ports: SandboxPorts, sandboxes: SandboxBook) {
    this.#companion = companion;
    this.#names = names;
    this.#ports = ports;
    this.#sandboxes = sandboxes;
  }

  async serveNames(sandbox: StoredSandbox): Promise<void> {
    const names = this.#names.served(sandbox);
    if (names !== undefined) await this.#companion.serve(names);
  }

  /** After it left a network, perhaps its last that has names. */
  async serveOrForgetNames(sandbox: StoredSandbox): Promise<void> {
    const names = this.#names.served(sandbox);
    if (names === undefined) await this.#companion.forget(sandbox.sandboxId);
    else await this.#companion.serve(names);
  }

  async serveRelay(sandbox: StoredSandbox): Promise<void> {
    const publication = this.#ports.publication(sandbox);
    if (publication !== undefined) await this.#companion.publish(publication);
  }

  async forget(sandbox: StoredSandbox): Promise<void> {
    const told: Promise<void>[] = [];
    if (sandbox.endpoints.some((endpoint) => hasDns(this.#sandboxes.networkOf(endpoint))))
      told.push(this.#companion.forget(sandbox.sandboxId));
    if (sandbox.published.length > 0) told.push(this.#companion.unpublish(sandbox.containerId));
    await Promise.all(told);
  }
}
