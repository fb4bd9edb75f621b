import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { conflict, newId } from '../common/index.ts';
import {
  createNetworkNamespace,
  inNetworkNamespace,
  pinNetworkNamespace,
  releaseNetworkNamespace,
} from '../sys/index.ts';
import { chooseIfname, planEndpoint, releaseAddresses } from './addressing.ts';
import { checkEndpointRequest } from './endpoint-requests.ts';
import { Links } from './links.ts';
import { plugEndpoint, raiseLoopback } from './plumbing.ts';
import type { SandboxClosing } from './sandbox-closing.ts';
import type { SandboxParts } from './sandbox-parts.ts';
import type { StoredNetwork, StoredSandbox } from './store.ts';
import { sysctlPath, writeSysctl } from './sysctls.ts';
import type { EndpointRequest, SandboxRequest } from './types.ts';

interface Wanted {
  endpoint: EndpointRequest;
  network: StoredNetwork;
}

/** Makes sandboxes: whole or not at all. */
export class SandboxOpening {
  readonly #parts: SandboxParts;
  readonly #closing: SandboxClosing;

  constructor(parts: SandboxParts, closing: SandboxClosing) {
    this.#parts = parts;
    this.#closing = closing;
  }

  async open(request: SandboxRequest): Promise<StoredSandbox> {
    const { networks, sandboxes } = this.#parts;
    const wanted = request.endpoints.map((endpoint) => ({ endpoint, network: networks.resolve(endpoint.network) }));
    for (const { endpoint, network } of wanted) checkEndpointRequest(endpoint, network);
    const sandbox = describe(request, wanted);
    this.#lease(sandbox, request, wanted);
    sandboxes.add(sandbox);
    try {
      await this.#build(sandbox, request.sysctls);
    } catch (error) {
      await this.#closing.dismantle(sandbox);
      throw error;
    }
    return sandbox;
  }

  /** Addresses and ports: all of them, or none. */
  #lease(sandbox: StoredSandbox, request: SandboxRequest, wanted: readonly Wanted[]): void {
    const { networks, ports } = this.#parts;
    try {
      for (const { endpoint, network } of wanted) {
        const taken = sandbox.endpoints.map((other) => other.ifname);
        sandbox.endpoints.push(planEndpoint(networks, network, endpoint, chooseIfname(taken, network, endpoint)));
      }
      ports.publish(sandbox, request);
    } catch (error) {
      ports.release(sandbox);
      for (const endpoint of sandbox.endpoints) releaseAddresses(networks, endpoint);
      throw error;
    }
  }

  async #build(sandbox: StoredSandbox, sysctls: Record<string, string>): Promise<void> {
    const { links, ports, routes, rules, sandboxes, served } = this.#parts;
    const path = sandboxes.netnsPath(sandbox);
    mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
    if (sandbox.kind === 'host') {
      pinHost(path);
      return;
    }
    let inside: Links | undefined;
    createNetworkNamespace(path, () => {
      inside = Links.open();
      raiseLoopback(inside);
    });
    // The companion works while this process does.
    const serving = Promise.allSettled([served.serveNames(sandbox), served.serveRelay(sandbox)]);
    try {
      if (sandbox.kind === 'own') {
        for (const endpoint of sandbox.endpoints)
          plugEndpoint(links, inside!, path, endpoint, sandboxes.networkOf(endpoint));
        routes(sandbox, inside!);
        const settings = Object.entries(sysctls);
        if (settings.length > 0)
          inNetworkNamespace(path, () => {
            for (const [key, value] of settings) writeSysctl(sysctlPath(key), value);
          });
      }
      // Behind the plugs, and before anything runs there: a packet that rules led to an address without an interface would be lost, and its
      // client try again only after a second.
      rules.add(sandbox);
      ports.guard(sandbox);
    } finally {
      inside?.close();
    }
    this.#parts.forgetFlows(sandbox);
    for (const outcome of await serving) if (outcome.status === 'rejected') throw outcome.reason;
    // An ipvlan's MAC is known only now.
    if (sandbox.endpoints.some((endpoint) => endpoint.hostIfname === '')) sandboxes.save(sandbox);
  }
}

function describe(request: SandboxRequest, wanted: readonly Wanted[]): StoredSandbox {
  const kind = wanted.some(({ network }) => network.driver === 'host')
    ? 'host'
    : wanted.every(({ network }) => network.driver === 'null')
      ? 'none'
      : 'own';
  if (wanted.length > 1 && kind !== 'own')
    throw conflict('cannot attach both user-defined and non-user-defined network-modes');
  return {
    containerId: request.containerId,
    containerName: request.containerName,
    hostname: request.hostname,
    domainname: request.domainname ?? '',
    sandboxId: newId(),
    kind,
    endpoints: [],
    published: [],
    exposed: [...new Set([...request.exposed, ...Object.keys(request.ports)])],
    ports: {},
    dns: request.dns,
    extraHosts: request.extraHosts,
  };
}

/** The machine's own namespace under a path, for runtimes that want one. */
function pinHost(path: string): void {
  releaseNetworkNamespace(path);
  pinNetworkNamespace(path);
}
