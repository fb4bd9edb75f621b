import { EngineError, kindOf, type Logger, messageOf } from '../common/index.ts';
import { endpointAnswer, hasDns } from './answers.ts';
import type { CompanionClient } from './companion-client.ts';
import { forgetUdpFlows } from './conntrack.ts';
import { gatewayEndpoints } from './gateway-choice.ts';
import { parseLink } from './hosts.ts';
import { Links } from './links.ts';
import type { SandboxNames } from './names.ts';
import type { NetworkBook } from './network-book.ts';
import type { NetworkEvent, NetworkOptions } from './options.ts';
import { setDefaultRoutes } from './plumbing.ts';
import type { PortBook } from './port-book.ts';
import type { Publication } from './relay-targets.ts';
import type { RuleSet } from './rule-set.ts';
import type { Element } from './rules.ts';
import { SandboxBook } from './sandbox-book.ts';
import { SandboxClosing } from './sandbox-closing.ts';
import { SandboxJoining } from './sandbox-joining.ts';
import { NameFiles } from './sandbox-names.ts';
import { SandboxOpening } from './sandbox-opening.ts';
import { SandboxPorts } from './sandbox-ports.ts';
import { SandboxRules } from './sandbox-rules.ts';
import { SandboxServed } from './sandbox-served.ts';
import type { NetworkStore, StoredEndpoint, StoredNetwork, StoredSandbox } from './store.ts';
import type { EndpointRequest, SandboxRequest, SandboxState } from './types.ts';

export interface OpenSandboxes {
  execRoot: string;
  store: NetworkStore;
  book: NetworkBook;
  links: Links;
  rules: RuleSet;
  ports: PortBook;
  companion: CompanionClient;
  options: NetworkOptions;
  log: Logger;
  emit: (event: NetworkEvent) => void;
  hostsChanged: (containerId: string, state: SandboxState) => void;
}

/** Open sandboxes: made, changed and taken apart by the parts below; here is who is told of it, and what is answered about them. */
export class Sandboxes {
  readonly #given: OpenSandboxes;
  readonly #book: SandboxBook;
  readonly #rules: SandboxRules;
  readonly #ports: SandboxPorts;
  readonly #names: NameFiles;
  readonly #served: SandboxServed;
  readonly #opening: SandboxOpening;
  readonly #joining: SandboxJoining;
  readonly #closing: SandboxClosing;

  constructor(given: OpenSandboxes) {
    const { book, companion, links, log, options } = given;
    this.#given = given;
    this.#book = new SandboxBook(given.execRoot, given.store, book);
    this.#rules = new SandboxRules(options, given.rules, book, this.#book);
    this.#ports = new SandboxPorts(options, book, given.ports);
    this.#names = new NameFiles(options, book, this.#book);
    this.#served = new SandboxServed(companion, this.#names, this.#ports, this.#book);
    const parts = {
      networks: book,
      sandboxes: this.#book,
      links,
      rules: this.#rules,
      ports: this.#ports,
      served: this.#served,
      log,
      routes: (sandbox: StoredSandbox, inside: Links) => this.#routes(sandbox, inside),
      forgetFlows: (sandbox: StoredSandbox) => this.#forgetFlows(sandbox),
    };
    this.#closing = new SandboxClosing(parts);
    this.#opening = new SandboxOpening(parts, this.#closing);
    this.#joining = new SandboxJoining(parts, this.#closing);
  }

  all(): StoredSandbox[] {
    return this.#book.all();
  }
  get(containerId: string): StoredSandbox | undefined {
    return this.#book.get(containerId);
  }
  netnsPath(sandbox: StoredSandbox): string {
    return this.#book.netnsPath(sandbox);
  }
  elements(sandbox: StoredSandbox): Element[] {
    return this.#rules.of(sandbox);
  }
  names(sandbox: StoredSandbox): SandboxNames | undefined {
    return this.#names.served(sandbox);
  }
  publication(sandbox: StoredSandbox): Publication | undefined {
    return this.#ports.publication(sandbox);
  }
  hostFiles(request: Pick<SandboxRequest, 'dns' | 'extraHosts'>): Pick<SandboxState, 'hosts' | 'resolvConf'> {
    return this.#names.onHost(request);
  }

  async open(request: SandboxRequest): Promise<SandboxState> {
    try {
      if (this.#book.get(request.containerId) !== undefined) await this.close(request.containerId);
      const sandbox = await this.#opening.open(request);
      for (const endpoint of sandbox.endpoints) this.#announce('connect', sandbox, this.#book.networkOf(endpoint));
      this.#relinkDependents(sandbox);
      return this.state(sandbox);
    } catch (error) {
      throw new EngineError(kindOf(error), `failed to set up container networking: ${messageOf(error)}`, {
        cause: error,
      });
    }
  }

  async close(containerId: string): Promise<void> {
    const sandbox = this.#book.get(containerId);
    if (sandbox === undefined) return;
    await this.#closing.dismantle(sandbox);
    for (const endpoint of sandbox.endpoints) this.#announce('disconnect', sandbox, this.#book.networkOf(endpoint));
  }

  /** Resolves when all interfaces that were taken away are gone. */
  settled(): Promise<void> {
    return this.#closing.settled();
  }

  async connect(containerId: string, request: EndpointRequest): Promise<SandboxState> {
    const sandbox = this.#book.must(containerId);
    this.#announce('connect', sandbox, await this.#joining.join(sandbox, request));
    this.#relinkDependents(sandbox);
    return this.state(sandbox);
  }

  async disconnect(containerId: string, network: string): Promise<SandboxState> {
    const sandbox = this.#book.must(containerId);
    this.#announce('disconnect', sandbox, await this.#joining.leave(sandbox, network));
    return this.state(sandbox);
  }

  async rename(containerId: string, newName: string): Promise<void> {
    const sandbox = this.#book.get(containerId);
    if (sandbox === undefined) return;
    const oldName = sandbox.containerName;
    sandbox.containerName = newName;
    this.#book.save(sandbox);
    for (const other of this.all()) this.#renameLinked(other, oldName, newName);
    await this.#served.serveNames(sandbox);
  }

  /** Links of the default bridge follow a container to its new name; others name a name, as in Docker. */
  #renameLinked(sandbox: StoredSandbox, oldName: string, newName: string): void {
    for (const endpoint of sandbox.endpoints) {
      if (hasDns(this.#book.networkOf(endpoint)) || !endpoint.links?.some((text) => parseLink(text).target === oldName))
        continue;
      endpoint.links = endpoint.links.map((text) => {
        const { target, alias } = parseLink(text);
        return target === oldName ? `${newName}:${alias}` : text;
      });
      this.#book.save(sandbox);
    }
  }

  unlink(containerId: string, link: string): void {
    const sandbox = this.#book.get(containerId);
    if (sandbox === undefined) return;
    const gone = parseLink(link);
    const old = this.#rules.of(sandbox);
    for (const endpoint of sandbox.endpoints) {
      if (hasDns(this.#book.networkOf(endpoint))) continue;
      const kept = (endpoint.links ?? []).map(parseLink).filter(({ alias }) => alias !== gone.alias);
      endpoint.links = kept.map(({ target, alias }) => `${target}:${alias}`);
    }
    this.#book.save(sandbox);
    this.#rules.replace(old, this.#rules.of(sandbox));
    this.#given.hostsChanged(sandbox.containerId, this.state(sandbox));
  }

  /** Makes a stored sandbox's ports and names live again after a daemon restart. */
  async adopt(sandbox: StoredSandbox): Promise<void> {
    for (const range of this.#ports.hold(sandbox))
      this.#given.log.warn('published port is held by another program', {
        container: sandbox.containerId,
        port: `${range.hostIp}:${range.hostPort}`,
      });
    await Promise.all([this.#served.serveNames(sandbox), this.#served.serveRelay(sandbox)]);
  }

  #announce(action: 'connect' | 'disconnect', sandbox: StoredSandbox, network: StoredNetwork): void {
    const attributes = { container: sandbox.containerId, name: network.name, type: network.driver };
    this.#given.emit({ type: 'network', action, id: network.id, attributes });
  }

  /** Tells containers that are linked to this one, and lets them through, when it came (again) with another address. */
  #relinkDependents(target: StoredSandbox): void {
    for (const sandbox of this.all()) {
      if (sandbox === target) continue;
      const linked = sandbox.endpoints.some((endpoint) =>
        (endpoint.links ?? []).some((text) => this.#book.byName(parseLink(text).target) === target),
      );
      if (!linked) continue;
      this.#rules.addLinked(sandbox);
      this.#given.hostsChanged(sandbox.containerId, this.state(sandbox));
    }
  }

  #routes(sandbox: StoredSandbox, inside: Links): void {
    const chosen = gatewayEndpoints(sandbox, (id) => this.#given.book.byId(id));
    const withNetwork = (endpoint: StoredEndpoint | undefined) =>
      endpoint === undefined ? undefined : { endpoint, network: this.#book.networkOf(endpoint) };
    setDefaultRoutes(inside, { 4: withNetwork(chosen[4]), 6: withNetwork(chosen[6]) });
  }

  /** Flows are a matter of comfort: that they cannot be listed is no reason to fail. */
  #forgetFlows(sandbox: StoredSandbox): void {
    try {
      forgetUdpFlows(sandbox.published);
    } catch (error) {
      this.#given.log.debug('could not forget flows', { error: messageOf(error) });
    }
  }

  state(sandbox: StoredSandbox): SandboxState {
    const names = this.#names;
    return {
      sandboxId: sandbox.sandboxId,
      netnsPath: this.#book.netnsPath(sandbox),
      endpoints: Object.fromEntries(
        sandbox.endpoints.map((endpoint) => {
          const network = this.#book.networkOf(endpoint);
          return [network.name, endpointAnswer(network, sandbox, endpoint)];
        }),
      ),
      ports: this.#ports.states(sandbox),
      // Worked out when they are asked for: a list of containers has no use for them, and they take a file's reading each.
      get hosts() {
        return names.hosts(sandbox);
      },
      get resolvConf() {
        return names.resolvConf(sandbox);
      },
    };
  }

  counters(containerId: string): Record<string, Record<string, number>> {
    const sandbox = this.#book.get(containerId);
    if (sandbox === undefined || sandbox.kind === 'host') return {};
    const inside = Links.open(this.#book.netnsPath(sandbox));
    try {
      return Object.fromEntries(
        sandbox.endpoints
          .filter((endpoint) => endpoint.mac !== '')
          .map((endpoint) => [endpoint.ifname, inside.counters(endpoint.ifname)]),
      );
    } finally {
      inside.close();
    }
  }
}
