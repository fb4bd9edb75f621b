import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { conflict, type Filters, forbidden, invalid, messageOf, notFound, parseRfc3339Ns } from '../common/index.ts';
import { releaseNetworkNamespace } from '../sys/index.ts';
import type { CreateNetworkBody, NetworkInspect } from '../wire/index.ts';
import { formatPrefix, overlaps, type Prefix, parsePrefix } from './address.ts';
import { hasDns, networkAnswer } from './answers.ts';
import { ensureBridge, removeBridge } from './bridges.ts';
import { CompanionClient } from './companion-client.ts';
import {
  defaultBridgeName,
  defineDefaultBridge,
  defineNetwork,
  definePredefined,
  fromConfiguration,
} from './definitions.ts';
import { checkEndpointRequest } from './endpoint-requests.ts';
import { Links } from './links.ts';
import { machineBlocks } from './machine.ts';
import { NetworkBook } from './network-book.ts';
import type { OpenNetworks } from './options.ts';
import { PortBook } from './port-book.ts';
import { RuleSet } from './rule-set.ts';
import { type Element, networkElements } from './rules.ts';
import { Sandboxes } from './sandboxes.ts';
import { NetworkStore, type StoredNetwork } from './store.ts';
import type { EndpointRequest, NetworkRecord, NetworkService, SandboxRequest, SandboxState } from './types.ts';
import { checkVlanOptions, ensureParent } from './vlan-drivers.ts';

const PREDEFINED: readonly string[] = ['bridge', 'host', 'none', 'default'];

const overlapsAny = (network: StoredNetwork, blocks: readonly Prefix[]): boolean =>
  network.pools.some((pool) => blocks.some((block) => overlaps(block, parsePrefix(pool.subnet)!)));

const withoutPools = (network: StoredNetwork | undefined): StoredNetwork | undefined =>
  network === undefined ? undefined : { ...network, pools: [] };

/** A filter's value is a regular expression; one that is none matches nothing (moby api/types/filters Match). */
function matchesPattern(pattern: string, text: string): boolean {
  try {
    return new RegExp(pattern).test(text);
  } catch {
    return false;
  }
}

/** `dangling` takes one truth value (moby daemon/network/filter.go). */
function danglingOf(filters: Filters): boolean | undefined {
  const values = filters.get('dangling');
  if (values.length > 1) throw invalid('got more than one value for filter key "dangling"');
  if (values[0] !== undefined && !['true', '1', 'false', '0'].includes(values[0]))
    throw invalid(`invalid value for filter 'dangling', must be "true" (or "1"), or "false" (or "0")`);
  return filters.bool('dangling');
}

/** The networks of one daemon. */
export class Networks implements NetworkService {
  readonly #parts: OpenNetworks;
  readonly #store: NetworkStore;
  readonly #book: NetworkBook;
  readonly #links: Links;
  readonly #rules: RuleSet;
  readonly #ports = new PortBook();
  readonly #companion: CompanionClient;
  readonly #sandboxes: Sandboxes;

  constructor(parts: OpenNetworks) {
    const { options, log, emit, execRoot } = parts;
    this.#parts = parts;
    this.#store = new NetworkStore(parts.db);
    this.#book = new NetworkBook(this.#store);
    this.#links = Links.open();
    const name = parts.instance === '' ? 'gantry' : `gantry-${parts.instance}`;
    const respectHostFirewall = options.respectHostFirewall ?? false;
    this.#rules = new RuleSet(options.rules ?? true, { name, respectHostFirewall }, () => this.#elements(), log);
    this.#companion = new CompanionClient({
      execRoot,
      log,
      onRelayPort: (port) => this.#rules.setRelayPort(port),
      current: () => ({
        names: this.#sandboxes.all().flatMap((sandbox) => this.#sandboxes.names(sandbox) ?? []),
        publications: this.#sandboxes.all().flatMap((sandbox) => this.#sandboxes.publication(sandbox) ?? []),
      }),
    });
    this.#sandboxes = new Sandboxes({
      execRoot,
      store: this.#store,
      book: this.#book,
      links: this.#links,
      rules: this.#rules,
      ports: this.#ports,
      companion: this.#companion,
      options,
      log,
      emit,
      hostsChanged: parts.hostsChanged ?? (() => {}),
    });
  }

  /** Predefined networks, bridges, rules. */
  start(): void {
    for (const name of ['none', 'host'] as const)
      if (this.#book.byName(name) === undefined) this.#book.add(definePredefined(name));
    this.#startDefaultBridge();
    for (const network of this.#book.all()) {
      try {
        this.#ensureLink(network);
      } catch (error) {
        this.#parts.log.error('network cannot be used', { network: network.name, error: messageOf(error) });
      }
    }
    this.#rules.restore();
    const dropping = this.#rules.droppingForwardChains();
    if (dropping.length > 0)
      this.#parts.log.warn('a firewall drops forwarded packets: containers may not reach other machines', {
        chains: dropping.join(', '),
      });
  }

  #startDefaultBridge(): void {
    const previous = this.#book.byName('bridge');
    if (this.#parts.options.bridge === 'none') {
      if (previous === undefined) return;
      removeBridge(this.#links, previous, this.#parts.log);
      this.#book.drop(previous.id);
      return;
    }
    const link = defaultBridgeName(this.#parts.instance, this.#parts.options);
    if (previous !== undefined && previous.link !== link) removeBridge(this.#links, previous, this.#parts.log);
    const around = this.#around(new Set([link, previous?.link ?? link]), previous?.id);
    const options = { ...around.options, bip: around.options.bip ?? this.#addressOfGivenBridge() };
    // Without its bridge it has no containers, and another daemon may have taken its block meanwhile: then it gets another.
    const stays =
      previous !== undefined && (this.#links.find(link) !== undefined || !overlapsAny(previous, around.machine));
    const network = defineDefaultBridge({ ...around, options }, stays ? previous : withoutPools(previous));
    this.#book.add(network);
    for (const sandbox of this.#sandboxes.all()) this.#book.lease(sandbox);
  }

  /** A bridge that was made by hand (`--bridge`) brings its address and subnet with it. */
  #addressOfGivenBridge(): string | undefined {
    const name = this.#parts.options.bridge ?? '';
    const link = name === '' ? undefined : this.#links.find(name);
    if (link === undefined) return undefined;
    const found = this.#links.addresses().find((entry) => entry.index === link.index && entry.address.family === 4);
    return found === undefined ? undefined : formatPrefix(found.address);
  }

  #around(except: ReadonlySet<string>, exceptId?: string): Parameters<typeof defineNetwork>[1] {
    const networks: Prefix[] = this.#book
      .all()
      .filter((network) => network.id !== exceptId)
      .flatMap((network) => network.pools.map((pool) => parsePrefix(pool.subnet)!));
    return {
      networks,
      machine: machineBlocks(this.#links, except),
      options: this.#parts.options,
      instance: this.#parts.instance,
    };
  }

  #ensureLink(network: StoredNetwork): void {
    if (network.driver === 'bridge') ensureBridge(this.#links, network, this.#parts.instance, this.#parts.options);
    else if (network.driver === 'macvlan' || network.driver === 'ipvlan') ensureParent(this.#links, network);
  }

  #networkElements(network: StoredNetwork): Element[] {
    return networkElements(network, this.#links.find(network.link)?.mac ?? '');
  }

  #elements(): Element[] {
    const networks = this.#book.all().flatMap((network) => this.#networkElements(network));
    const all = [...networks, ...this.#sandboxes.all().flatMap((sandbox) => this.#sandboxes.elements(sandbox))];
    return [...new Map(all.map((element) => [JSON.stringify(element), element])).values()];
  }

  async create(body: CreateNetworkBody): Promise<{ Id: string; Warning: string }> {
    const name = body.Name ?? '';
    if (name.trim() === '') throw invalid('invalid name: name is empty');
    if (PREDEFINED.includes(name)) throw forbidden(`operation is not permitted on predefined ${name} network `);
    if (this.#book.byName(name) !== undefined) throw conflict(`network with name ${name} already exists`);
    const from = body.ConfigFrom?.Network ?? '';
    const source = from === '' || body.ConfigOnly === true ? undefined : this.#configuration(from);
    const network = defineNetwork(
      source === undefined ? body : fromConfiguration(body, source),
      this.#around(new Set()),
    );
    if (source !== undefined) network.configFrom = source.name;
    this.#checkLink(network);
    try {
      this.#ensureLink(network);
      this.#rules.add(this.#networkElements(network));
      this.#book.add(network);
    } catch (error) {
      this.#dismantle(network);
      throw error;
    }
    if (hasDns(network)) this.#companion.warmUp();
    this.#announce('create', network);
    return { Id: network.id, Warning: '' };
  }

  #configuration(name: string): StoredNetwork {
    const found = this.#book.byName(name);
    if (found?.configOnly !== true) throw notFound(`configuration network "${name}" does not exist`);
    return found;
  }

  #checkLink(network: StoredNetwork): void {
    const others = this.#book.all();
    if (network.driver === 'macvlan' || network.driver === 'ipvlan') checkVlanOptions(network, others);
    if (network.driver !== 'bridge') return;
    const rival = others.find((other) => other.driver === 'bridge' && other.link === network.link);
    if (rival !== undefined)
      throw forbidden(
        `cannot create network ${network.id} (${network.link}): conflicts with network ${rival.id} (${rival.link}): networks have same bridge name`,
      );
    if (this.#links.find(network.link) !== undefined) network.foreignLink = true;
  }

  /** Takes away what the network has on the machine. */
  #dismantle(network: StoredNetwork): void {
    this.#rules.remove(this.#networkElements(network));
    if (network.link !== '') removeBridge(this.#links, network, this.#parts.log);
  }

  #announce(action: 'create' | 'destroy', network: StoredNetwork): void {
    this.#parts.emit({
      type: 'network',
      action,
      id: network.id,
      attributes: { name: network.name, type: network.driver },
    });
  }

  resolve(ref: string): NetworkRecord {
    return this.#book.resolve(ref);
  }

  async inspect(ref: string, options: { verbose?: boolean; scope?: string }): Promise<NetworkInspect> {
    if (options.scope !== undefined && options.scope !== '' && options.scope !== 'local')
      throw notFound(`network ${ref} not found`);
    return networkAnswer(this.#book.resolve(ref), this.#sandboxes.all());
  }

  async list(filters: Filters): Promise<NetworkInspect[]> {
    filters.allow(['driver', 'type', 'name', 'id', 'label', 'scope', 'dangling']);
    for (const type of filters.get('type'))
      if (type !== 'custom' && type !== 'builtin') throw invalid(`invalid filter: 'type'='${type}'`);
    const dangling = danglingOf(filters);
    return this.#book
      .all()
      .filter((network) => this.#matches(network, filters, dangling))
      .map((network) => networkAnswer(network, []));
  }

  #matches(network: StoredNetwork, filters: Filters, dangling: boolean | undefined): boolean {
    const custom = PREDEFINED.includes(network.name) ? 'builtin' : 'custom';
    const some = (key: string, test: (value: string) => boolean) => !filters.has(key) || filters.get(key).some(test);
    return (
      filters.exact('driver', network.driver) &&
      filters.exact('scope', 'local') &&
      filters.exact('type', custom) &&
      some('name', (value) => matchesPattern(value, network.name)) &&
      some('id', (value) => matchesPattern(value, network.id)) &&
      filters.labels(network.labels) &&
      (dangling === undefined || dangling === (custom === 'custom' && !this.#used(network)))
    );
  }

  #used(network: StoredNetwork): boolean {
    return this.#sandboxes
      .all()
      .some((sandbox) => sandbox.endpoints.some((endpoint) => endpoint.networkId === network.id));
  }

  async remove(ref: string): Promise<void> {
    const network = this.#book.resolve(ref);
    if (PREDEFINED.includes(network.name))
      throw forbidden(`${network.name} is a pre-defined network and cannot be removed`);
    const members = this.#sandboxes
      .all()
      .flatMap((sandbox) =>
        sandbox.endpoints
          .filter((endpoint) => endpoint.networkId === network.id)
          .map((endpoint) => `name:"${sandbox.containerName}" id:"${endpoint.endpointId.slice(0, 12)}"`),
      );
    if (members.length > 0)
      throw forbidden(
        `error while removing network: network ${network.name} has active endpoints (${members.join(', ')})`,
      );
    if (network.configOnly && this.#book.all().some((other) => other.configFrom === network.name))
      throw forbidden(`error while removing network: configuration network "${network.name}" is in use`);
    await this.#sandboxes.settled();
    this.#dismantle(network);
    this.#book.drop(network.id);
    this.#announce('destroy', network);
  }

  async prune(filters: Filters): Promise<{ NetworksDeleted: string[] }> {
    filters.allow(['label', 'label!', 'until']);
    const before = filters.until();
    const removed: string[] = [];
    for (const network of this.#book.all()) {
      if (PREDEFINED.includes(network.name) || this.#used(network) || !filters.labels(network.labels)) continue;
      if (before !== undefined && parseRfc3339Ns(network.created) > before) continue;
      await this.remove(network.id);
      removed.push(network.name);
    }
    return { NetworksDeleted: removed };
  }

  openSandbox(request: SandboxRequest): Promise<SandboxState> {
    return this.#sandboxes.open(request);
  }
  closeSandbox(containerId: string): Promise<void> {
    return this.#sandboxes.close(containerId);
  }
  sandbox(containerId: string): SandboxState | undefined {
    const sandbox = this.#sandboxes.get(containerId);
    return sandbox === undefined ? undefined : this.#sandboxes.state(sandbox);
  }
  connect(containerId: string, request: EndpointRequest): Promise<SandboxState> {
    return this.#sandboxes.connect(containerId, request);
  }
  disconnect(containerId: string, network: string): Promise<SandboxState> {
    return this.#sandboxes.disconnect(containerId, network);
  }
  rename(containerId: string, newName: string): Promise<void> {
    return this.#sandboxes.rename(containerId, newName);
  }
  unlink(containerId: string, link: string): void {
    this.#sandboxes.unlink(containerId, link);
  }
  hostFiles(request: Pick<SandboxRequest, 'dns' | 'extraHosts'>): Pick<SandboxState, 'hosts' | 'resolvConf'> {
    return this.#sandboxes.hostFiles(request);
  }
  validate(request: EndpointRequest): void {
    checkEndpointRequest(request, this.#book.resolve(request.network));
  }
  async counters(containerId: string): Promise<Record<string, Record<string, number>>> {
    return this.#sandboxes.counters(containerId);
  }

  async reconcile(running: (containerId: string) => boolean): Promise<void> {
    await this.#companion.adopt();
    for (const sandbox of this.#sandboxes.all()) {
      const alive =
        running(sandbox.containerId) && (sandbox.kind === 'host' || existsSync(this.#sandboxes.netnsPath(sandbox)));
      if (alive) await this.#sandboxes.adopt(sandbox);
      else await this.#sandboxes.close(sandbox.containerId);
    }
    this.#removeStrayNamespaces();
    this.#removeStrayInterfaces();
    this.#rules.restore();
    await this.#sandboxes.settled();
  }

  #removeStrayNamespaces(): void {
    const directory = join(this.#parts.execRoot, 'netns');
    const known = new Set(this.#sandboxes.all().map((sandbox) => this.#sandboxes.netnsPath(sandbox)));
    for (const name of existsSync(directory) ? readdirSync(directory) : []) {
      const path = join(directory, name);
      if (known.has(path)) continue;
      releaseNetworkNamespace(path);
      rmSync(path, { force: true });
    }
  }

  /** Ports of our bridges that no endpoint knows: of a sandbox that was half made or half removed. */
  #removeStrayInterfaces(): void {
    const known = new Set(
      this.#sandboxes.all().flatMap((sandbox) => sandbox.endpoints.map((endpoint) => endpoint.hostIfname)),
    );
    const bridges = new Set(
      this.#book
        .all()
        .filter((network) => network.driver === 'bridge' && !network.foreignLink)
        .map((network) => network.link),
    );
    const links = this.#links.list();
    const ours = new Set(links.filter((link) => bridges.has(link.name)).map((link) => link.index));
    for (const link of links)
      if (link.kind === 'veth' && /^veth[0-9a-f]{7}$/.test(link.name) && ours.has(link.master) && !known.has(link.name))
        this.#links.delete(link.name);
  }

  async restoreRules(): Promise<void> {
    this.#rules.restore();
  }

  async close(): Promise<void> {
    await this.#sandboxes.settled();
    await this.#companion.close();
    this.#ports.close();
    // With containers still running (live restore, or a daemon that is replaced) their network stays as it is.
    if (this.#sandboxes.all().length === 0) {
      this.#rules.drop();
      for (const network of this.#book.all())
        if (network.driver === 'bridge') removeBridge(this.#links, network, this.#parts.log);
      const host = join(this.#parts.execRoot, 'netns', 'default');
      releaseNetworkNamespace(host);
      rmSync(host, { force: true });
    }
    this.#rules.close();
    this.#links.close();
  }
}
