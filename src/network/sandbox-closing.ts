import { rmSync } from 'node:fs';
import { messageOf } from '../common/index.ts';
import { releaseNetworkNamespace } from '../sys/index.ts';
import { releaseAddresses } from './addressing.ts';
import type { SandboxParts } from './sandbox-parts.ts';
import type { StoredEndpoint, StoredSandbox } from './store.ts';

/** Takes sandboxes apart. */
export class SandboxClosing {
  readonly #parts: SandboxParts;
  /** Interfaces on their way out: the kernel takes tens of milliseconds for each, which nobody waits for. */
  readonly #leaving = new Set<Promise<void>>();

  constructor(parts: SandboxParts) {
    this.#parts = parts;
  }

  /** What there is of a sandbox, whole or half made, goes. */
  async dismantle(sandbox: StoredSandbox): Promise<void> {
    const { log, networks, ports, rules, sandboxes, served } = this.#parts;
    const elements = rules.of(sandbox);
    sandboxes.leave(sandbox.containerId);
    rules.remove(elements);
    this.#parts.forgetFlows(sandbox);
    await served.forget(sandbox).catch((error: unknown) => log.warn('network companion', { error: messageOf(error) }));
    for (const endpoint of sandbox.endpoints) this.unplug(endpoint);
    if (sandbox.kind !== 'host') this.#removeNamespace(sandboxes.netnsPath(sandbox));
    ports.release(sandbox);
    for (const endpoint of sandbox.endpoints) releaseAddresses(networks, endpoint);
    sandboxes.drop(sandbox.containerId);
  }

  /** One that is busy for a moment (another mount namespace is being copied) is a stray of the next start; addresses and ports are free all the same. */
  #removeNamespace(path: string): void {
    releaseNetworkNamespace(path);
    try {
      rmSync(path, { force: true });
    } catch (error) {
      this.#parts.log.warn('could not remove network namespace', { path, error: messageOf(error) });
    }
  }

  /** Takes an endpoint's interface away without waiting for it. */
  unplug(endpoint: StoredEndpoint): void {
    if (endpoint.hostIfname === '') return;
    const { links, log } = this.#parts;
    const going = links
      .deleteSlowly(endpoint.hostIfname)
      .catch((error: unknown) =>
        log.warn('could not remove interface', { interface: endpoint.hostIfname, error: messageOf(error) }),
      )
      .finally(() => this.#leaving.delete(going));
    this.#leaving.add(going);
  }

  /** Resolves when all interfaces that were taken away are gone. */
  async settled(): Promise<void> {
    await Promise.all([...this.#leaving]);
  }
}
