import { forbidden, internal, invalid } from '../common/index.ts';
import { chooseIfname, planEndpoint, releaseAddresses } from './addressing.ts';
import { checkEndpointRequest } from './endpoint-requests.ts';
import { Links } from './links.ts';
import { plugEndpoint } from './plumbing.ts';
import type { SandboxClosing } from './sandbox-closing.ts';
import type { SandboxParts } from './sandbox-parts.ts';
import type { StoredNetwork, StoredSandbox } from './store.ts';
import type { EndpointRequest } from './types.ts';

/** Lets running containers join and leave networks. */
export class SandboxJoining {
  readonly #parts: SandboxParts;
  readonly #closing: SandboxClosing;

  constructor(parts: SandboxParts, closing: SandboxClosing) {
    this.#parts = parts;
    this.#closing = closing;
  }

  async join(sandbox: StoredSandbox, request: EndpointRequest): Promise<StoredNetwork> {
    const { links, networks, routes, rules, sandboxes, served } = this.#parts;
    const network = networks.resolve(request.network);
    checkEndpointRequest(request, network);
    refuseToJoin(sandbox, network);
    const before = sandbox.endpoints;
    const taken = before.map((endpoint) => endpoint.ifname);
    const endpoint = planEndpoint(networks, network, request, chooseIfname(taken, network, request));
    const old = rules.of(sandbox);
    sandbox.endpoints = [...before, endpoint];
    sandboxes.save(sandbox);
    const path = sandboxes.netnsPath(sandbox);
    const inside = Links.open(path);
    try {
      rules.replace(old, rules.of(sandbox));
      plugEndpoint(links, inside, path, endpoint, network);
      routes(sandbox, inside);
      await Promise.all([served.serveNames(sandbox), served.serveRelay(sandbox)]);
    } catch (error) {
      const now = rules.of(sandbox);
      sandbox.endpoints = before;
      rules.replace(now, rules.of(sandbox));
      this.#closing.unplug(endpoint);
      inside.deleteQuietly(endpoint.ifname);
      releaseAddresses(networks, endpoint);
      sandboxes.save(sandbox);
      throw error;
    } finally {
      inside.close();
    }
    sandboxes.save(sandbox);
    return network;
  }

  async leave(sandbox: StoredSandbox, ref: string): Promise<StoredNetwork> {
    const { links, networks, routes, rules, sandboxes, served } = this.#parts;
    const network = networks.resolve(ref);
    const endpoint = sandbox.endpoints.find((candidate) => candidate.networkId === network.id);
    if (endpoint === undefined)
      throw internal(`container ${sandbox.containerId} is not connected to network ${network.name}`);
    if (network.driver === 'host')
      throw forbidden('cannot disconnect container from host network - container was created in host network mode');
    const old = rules.of(sandbox);
    sandbox.endpoints = sandbox.endpoints.filter((candidate) => candidate !== endpoint);
    sandboxes.save(sandbox);
    rules.replace(old, rules.of(sandbox));
    const inside = Links.open(sandboxes.netnsPath(sandbox));
    try {
      if (endpoint.hostIfname === '') inside.deleteQuietly(endpoint.ifname);
      else await links.deleteSlowly(endpoint.hostIfname);
      routes(sandbox, inside);
    } finally {
      inside.close();
    }
    releaseAddresses(networks, endpoint);
    await served.serveOrForgetNames(sandbox);
    await served.serveRelay(sandbox);
    return network;
  }
}

function refuseToJoin(sandbox: StoredSandbox, network: StoredNetwork): void {
  if (network.driver === 'host')
    throw invalid('cannot connect container to host network - container must be created in host network mode');
  if (sandbox.kind === 'host')
    throw invalid(
      'container sharing network namespace with another container or host cannot be connected to any other network',
    );
  if (sandbox.kind === 'none' || network.driver === 'null')
    throw invalid('container cannot be connected to multiple networks with one of the networks in private (none) mode');
  if (sandbox.endpoints.some((endpoint) => endpoint.networkId === network.id))
    throw forbidden(`endpoint with name ${sandbox.containerName} already exists in network ${network.name}`);
}
