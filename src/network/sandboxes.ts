import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import {
  conflict,
  EngineError,
  forbidden,
  internal,
  kindOf,
  type Logger,
  messageOf,
  newId,
  notFound,
  shortId,
} from '../common/index.ts';
import {
  createNetworkNamespace,
  inNetworkNamespace,
  pinNetworkNamespace,
  releaseNetworkNamespace,
} from '../sys/index.ts';
import { chooseIfname, planEndpoint, releaseAddresses } from './addressing.ts';
import { dnsNames, endpointAnswer, hasDns } from './answers.ts';
import { machineHasIpv6 } from './bridges.ts';
import type { CompanionClient } from './companion-client.ts';
import { forgetUdpFlows } from './conntrack.ts';
import { checkEndpointRequest } from './endpoint-requests.ts';
import { gatewayEndpoints } from './gateway-choice.ts';
import { extraHostEntries, linkEntries, ownEntries, parseLink } from './hosts.ts';
import { Links } from './links.ts';
import type { SandboxNames } from './names.ts';
import type { NetworkBook } from './network-book.ts';
import type { NetworkEvent, NetworkOptions } from './options.ts';
import { plugEndpoint, raiseLoopback, setDefaultRoutes } from './plumbing.ts';
import type { PortBook } from './port-book.ts';
import { type PortGrant, parsePortKey, portWishes } from './ports.ts';
import { type Publication, relayHolds, relayListens } from './relay-targets.ts';
import { effective, embeddedResolvConf, plainResolvConf, type ResolvRequest } from './resolv-conf.ts';
import type { RuleSet } from './rule-set.ts';
import { type Element, endpointElements, gatewayMode, linkElements, publishElements } from './rules.ts';
import type { NetworkStore, PublishedRange, StoredEndpoint, StoredNetwork, StoredSandbox } from './store.ts';
import { sysctlPath, writeSysctl } from './sysctls.ts';
import type { EndpointRequest, SandboxRequest, SandboxState } from './types.ts';

export interface SandboxParts {
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

/** Open sandboxes: made whole or not at all, kept in the store, taken apart again. */
export class Sandboxes {
  readonly #parts: SandboxParts;
  readonly #open = new Map<string, StoredSandbox>();
  /** Interfaces on their way out: the kernel takes tens of milliseconds for each, which nobody waits for. */
  readonly #leaving = new Set<Promise<void>>();

  constructor(parts: SandboxParts) {
    this.#parts = parts;
    for (const sandbox of parts.store.sandboxes()) this.#open.set(sandbox.containerId, sandbox);
  }

  all(): StoredSandbox[] {
    return [...this.#open.values()];
  }
  get(containerId: string): StoredSandbox | undefined {
    return this.#open.get(containerId);
  }
  #must(containerId: string): StoredSandbox {
    const sandbox = this.#open.get(containerId);
    if (sandbox === undefined) throw conflict(`container ${containerId} is not running`);
    return sandbox;
  }

  netnsPath(sandbox: StoredSandbox): string {
    return join(this.#parts.execRoot, 'netns', sandbox.kind === 'host' ? 'default' : shortId(sandbox.sandboxId));
  }

  #network(endpoint: StoredEndpoint): StoredNetwork {
    const network = this.#parts.book.byId(endpoint.networkId);
    if (network === undefined) throw notFound(`network ${endpoint.networkId} not found`);
    return network;
  }

  /** The nftables elements of a sandbox. */
  elements(sandbox: StoredSandbox): Element[] {
    const elements = sandbox.endpoints.flatMap((endpoint) => endpointElements(endpoint, this.#network(endpoint)));
    const gateways = gatewayEndpoints(sandbox, (id) => this.#parts.book.byId(id));
    const four = gateways[4];
    const six = gateways[6];
    const bare = (text: string | undefined) => text?.split('/')[0] ?? '';
    const published = publishElements(sandbox.published, {
      ipv4: bare(four?.ipv4),
      ipv6: bare(six?.ipv6),
      routed4: four !== undefined && gatewayMode(this.#network(four), 4) === 'routed',
      routed6: six !== undefined && gatewayMode(this.#network(six), 6) === 'routed',
    });
    return [...elements, ...published, ...this.#linkElements(sandbox)];
  }

  /** What icc=false lets through for `--link`. */
  #linkElements(sandbox: StoredSandbox): Element[] {
    return sandbox.endpoints.flatMap((endpoint) =>
      (endpoint.links ?? []).flatMap((text) => {
        const target = this.#byName(parseLink(text).target);
        const other = target?.endpoints.find((candidate) => candidate.networkId === endpoint.networkId);
        return target === undefined || other === undefined ? [] : linkElements(endpoint, other, target.exposed);
      }),
    );
  }

  #byName(ref: string): StoredSandbox | undefined {
    return this.all().find(
      (sandbox) => sandbox.containerName === ref || sandbox.containerId === ref || sandbox.containerId.startsWith(ref),
    );
  }

  async open(request: SandboxRequest): Promise<SandboxState> {
    try {
      return await this.#openWhole(request);
    } catch (error) {
      throw new EngineError(kindOf(error), `failed to set up container networking: ${messageOf(error)}`, {
        cause: error,
      });
    }
  }

  async #openWhole(request: SandboxRequest): Promise<SandboxState> {
    if (this.#open.has(request.containerId)) await this.close(request.containerId);
    const { book, ports } = this.#parts;
    const requests = request.endpoints.map((endpoint) => ({ endpoint, network: book.resolve(endpoint.network) }));
    for (const { endpoint, network } of requests) checkEndpointRequest(endpoint, network);
    const kind = requests.some(({ network }) => network.driver === 'host')
      ? 'host'
      : requests.every(({ network }) => network.driver === 'null')
        ? 'none'
        : 'own';
    if (requests.length > 1 && kind !== 'own')
      throw conflict('cannot attach both user-defined and non-user-defined network-modes');
    const sandbox: StoredSandbox = {
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
    try {
      for (const { endpoint, network } of requests) {
        const taken = sandbox.endpoints.map((other) => other.ifname);
        sandbox.endpoints.push(planEndpoint(book, network, endpoint, chooseIfname(taken, network, endpoint)));
      }
      this.#publish(sandbox, request);
    } catch (error) {
      ports.release(sandbox.containerId);
      for (const endpoint of sandbox.endpoints) releaseAddresses(book, endpoint);
      throw error;
    }
    // On disk first: if the daemon dies in the midst, the reconcile finds what to take apart.
    this.#parts.store.saveSandbox(sandbox);
    this.#open.set(sandbox.containerId, sandbox);
    try {
      await this.#build(sandbox, request.sysctls);
    } catch (error) {
      await this.#dismantle(sandbox);
      throw error;
    }
    for (const endpoint of sandbox.endpoints) this.#announce('connect', sandbox, this.#network(endpoint));
    this.#relinkDependents(sandbox);
    return this.state(sandbox);
  }

  #announce(action: 'connect' | 'disconnect', sandbox: StoredSandbox, network: StoredNetwork): void {
    const attributes = { container: sandbox.containerId, name: network.name, type: network.driver };
    this.#parts.emit({ type: 'network', action, id: network.id, attributes });
  }

  #publish(sandbox: StoredSandbox, request: Pick<SandboxRequest, 'ports' | 'exposed' | 'publishAll'>): void {
    const wanted = { ...request.ports };
    if (request.publishAll)
      for (const key of request.exposed)
        if ((wanted[key] ?? []).length === 0) wanted[key] = [{ HostIp: '', HostPort: '' }];
    for (const key of Object.keys(wanted)) parsePortKey(key);
    const gateways = gatewayEndpoints(sandbox, (id) => this.#parts.book.byId(id));
    const endpoint = gateways[4] ?? gateways[6];
    const network = endpoint === undefined ? undefined : this.#network(endpoint);
    if (endpoint === undefined || network?.driver !== 'bridge') return;
    const binding = network.options['com.docker.network.bridge.host_binding_ipv4'];
    const defaultIp = binding ?? this.#parts.options.ip ?? '0.0.0.0';
    const wishes = portWishes(wanted, { defaultIp, dual: machineHasIpv6() });
    if (wishes.length === 0) return;
    try {
      const { grants, ranges } = this.#parts.ports.allocate(sandbox.containerId, wishes, {
        heldElsewhere: this.#heldElsewhere(sandbox),
        targetIp: (endpoint.ipv4 || endpoint.ipv6).split('/')[0]!,
      });
      sandbox.published = ranges;
      sandbox.ports = portAnswers(grants);
    } catch (error) {
      const where = `${sandbox.containerName} (${endpoint.endpointId})`;
      throw internal(`driver failed programming external connectivity on endpoint ${where}: ${messageOf(error)}`);
    }
  }

  async #build(sandbox: StoredSandbox, sysctls: Record<string, string>): Promise<void> {
    const path = this.netnsPath(sandbox);
    mkdirSync(join(this.#parts.execRoot, 'netns'), { recursive: true, mode: 0o755 });
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
    const served = Promise.allSettled([this.#serveNames(sandbox), this.#serveRelay(sandbox)]);
    try {
      this.#parts.rules.add(this.elements(sandbox));
      if (sandbox.kind === 'own') {
        for (const endpoint of sandbox.endpoints)
          plugEndpoint(this.#parts.links, inside!, path, endpoint, this.#network(endpoint));
        this.#routes(sandbox, inside!);
        const settings = Object.entries(sysctls);
        if (settings.length > 0)
          inNetworkNamespace(path, () => {
            for (const [key, value] of settings) writeSysctl(sysctlPath(key), value);
          });
      }
    } finally {
      inside?.close();
    }
    this.#forgetFlows(sandbox);
    for (const outcome of await served) if (outcome.status === 'rejected') throw outcome.reason;
    // An ipvlan's MAC is known only now.
    if (sandbox.endpoints.some((endpoint) => endpoint.hostIfname === '')) this.#parts.store.saveSandbox(sandbox);
  }

  /** Flows are a matter of comfort: that they cannot be listed is no reason to fail. */
  #forgetFlows(sandbox: StoredSandbox): void {
    try {
      forgetUdpFlows(sandbox.published);
    } catch (error) {
      this.#parts.log.debug('could not forget flows', { error: messageOf(error) });
    }
  }

  #routes(sandbox: StoredSandbox, inside: Links): void {
    const chosen = gatewayEndpoints(sandbox, (id) => this.#parts.book.byId(id));
    const withNetwork = (endpoint: StoredEndpoint | undefined) =>
      endpoint === undefined ? undefined : { endpoint, network: this.#network(endpoint) };
    setDefaultRoutes(inside, { 4: withNetwork(chosen[4]), 6: withNetwork(chosen[6]) });
  }

  async close(containerId: string): Promise<void> {
    const sandbox = this.#open.get(containerId);
    if (sandbox === undefined) return;
    await this.#dismantle(sandbox);
    for (const endpoint of sandbox.endpoints) this.#announce('disconnect', sandbox, this.#network(endpoint));
  }

  /** Takes apart what there is of a sandbox, whole or half made. */
  async #dismantle(sandbox: StoredSandbox): Promise<void> {
    const { containerId } = sandbox;
    const { rules, ports, book, store, companion } = this.#parts;
    const elements = this.elements(sandbox);
    this.#open.delete(containerId);
    rules.remove(this.#notShared(elements));
    this.#forgetFlows(sandbox);
    const told: Promise<void>[] = [];
    if (sandbox.endpoints.some((endpoint) => hasDns(this.#network(endpoint))))
      told.push(companion.forget(sandbox.sandboxId));
    if (sandbox.published.length > 0) told.push(companion.unpublish(containerId));
    await Promise.all(told).catch((error: unknown) =>
      this.#parts.log.warn('network companion', { error: messageOf(error) }),
    );
    for (const endpoint of sandbox.endpoints) this.#unplug(endpoint);
    if (sandbox.kind !== 'host') {
      const path = this.netnsPath(sandbox);
      releaseNetworkNamespace(path);
      rmSync(path, { force: true });
    }
    ports.release(containerId);
    for (const endpoint of sandbox.endpoints) releaseAddresses(book, endpoint);
    store.dropSandbox(containerId);
  }

  /** Elements that no other open sandbox needs: two containers may link to the same third. */
  #notShared(elements: readonly Element[]): Element[] {
    if (!elements.some((element) => element.set === 'linked')) return [...elements];
    const kept = new Set(this.all().flatMap((other) => this.#linkElements(other).map((element) => element.key)));
    return elements.filter((element) => element.set !== 'linked' || !kept.has(element.key));
  }

  #unplug(endpoint: StoredEndpoint): void {
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

  async connect(containerId: string, request: EndpointRequest): Promise<SandboxState> {
    const sandbox = this.#must(containerId);
    const { book, store, links } = this.#parts;
    const network = book.resolve(request.network);
    checkEndpointRequest(request, network);
    if (network.driver === 'host')
      throw forbidden('cannot connect container to host network - container must be created in host network mode');
    if (sandbox.kind === 'host')
      throw forbidden(
        'container sharing network namespace with another container or host cannot be connected to any other network',
      );
    if (sandbox.kind === 'none' || network.driver === 'null')
      throw forbidden(
        'container cannot be connected to multiple networks with one of the networks in private (none) mode',
      );
    if (sandbox.endpoints.some((endpoint) => endpoint.networkId === network.id))
      throw forbidden(`endpoint with name ${sandbox.containerName} already exists in network ${network.name}`);
    const before = structuredClone(sandbox);
    const taken = sandbox.endpoints.map((endpoint) => endpoint.ifname);
    const endpoint = planEndpoint(book, network, request, chooseIfname(taken, network, request));
    const old = this.elements(sandbox);
    sandbox.endpoints.push(endpoint);
    store.saveSandbox(sandbox);
    const inside = Links.open(this.netnsPath(sandbox));
    try {
      this.#replaceElements(old, this.elements(sandbox));
      plugEndpoint(links, inside, this.netnsPath(sandbox), endpoint, network);
      this.#routes(sandbox, inside);
      await Promise.all([this.#serveNames(sandbox), this.#serveRelay(sandbox)]);
    } catch (error) {
      const now = this.elements(sandbox);
      sandbox.endpoints = before.endpoints;
      this.#replaceElements(now, this.elements(sandbox));
      this.#unplug(endpoint);
      inside.deleteQuietly(endpoint.ifname);
      releaseAddresses(book, endpoint);
      store.saveSandbox(sandbox);
      throw error;
    } finally {
      inside.close();
    }
    store.saveSandbox(sandbox);
    this.#announce('connect', sandbox, network);
    this.#relinkDependents(sandbox);
    return this.state(sandbox);
  }

  #replaceElements(old: readonly Element[], now: readonly Element[]): void {
    const key = (element: Element) => JSON.stringify(element);
    const had = new Set(old.map(key));
    const has = new Set(now.map(key));
    this.#parts.rules.remove(this.#notShared(old.filter((element) => !has.has(key(element)))));
    this.#parts.rules.add(now.filter((element) => !had.has(key(element))));
  }

  async disconnect(containerId: string, ref: string): Promise<SandboxState> {
    const sandbox = this.#must(containerId);
    const { book, store } = this.#parts;
    const network = book.resolve(ref);
    const endpoint = sandbox.endpoints.find((candidate) => candidate.networkId === network.id);
    if (endpoint === undefined) throw internal(`container ${containerId} is not connected to network ${network.name}`);
    if (network.driver === 'host')
      throw forbidden('cannot disconnect container from host network - container was created in host network mode');
    const old = this.elements(sandbox);
    sandbox.endpoints = sandbox.endpoints.filter((candidate) => candidate !== endpoint);
    store.saveSandbox(sandbox);
    this.#replaceElements(old, this.elements(sandbox));
    const inside = Links.open(this.netnsPath(sandbox));
    try {
      if (endpoint.hostIfname === '') inside.deleteQuietly(endpoint.ifname);
      else await this.#parts.links.deleteSlowly(endpoint.hostIfname);
      this.#routes(sandbox, inside);
    } finally {
      inside.close();
    }
    releaseAddresses(book, endpoint);
    const names = this.names(sandbox);
    if (names === undefined) await this.#parts.companion.forget(sandbox.sandboxId);
    else await this.#parts.companion.serve(names);
    await this.#serveRelay(sandbox);
    this.#announce('disconnect', sandbox, network);
    return this.state(sandbox);
  }

  async rename(containerId: string, newName: string): Promise<void> {
    const sandbox = this.#open.get(containerId);
    if (sandbox === undefined) return;
    sandbox.containerName = newName;
    this.#parts.store.saveSandbox(sandbox);
    await this.#serveNames(sandbox);
  }

  /** Makes a stored sandbox's ports and names live again after a daemon restart. */
  async adopt(sandbox: StoredSandbox): Promise<void> {
    const lost = this.#parts.ports.hold(sandbox.containerId, sandbox.published, this.#heldElsewhere(sandbox));
    for (const range of lost)
      this.#parts.log.warn('published port is held by another program', {
        container: sandbox.containerId,
        port: `${range.hostIp}:${range.hostPort}`,
      });
    await Promise.all([this.#serveNames(sandbox), this.#serveRelay(sandbox)]);
  }

  #heldElsewhere(sandbox: StoredSandbox): (port: Pick<PublishedRange, 'proto' | 'hostIp'>) => boolean {
    const hasIpv6 = this.#addressOf(sandbox, 6) !== '';
    return (port) => relayHolds(port, hasIpv6, this.#parts.options.respectHostFirewall ?? false);
  }

  #addressOf(sandbox: StoredSandbox, family: 4 | 6): string {
    const endpoint = gatewayEndpoints(sandbox, (id) => this.#parts.book.byId(id))[family];
    return (family === 4 ? endpoint?.ipv4 : endpoint?.ipv6)?.split('/')[0] ?? '';
  }

  publication(sandbox: StoredSandbox): Publication | undefined {
    if (sandbox.published.length === 0) return undefined;
    const [ipv4, ipv6] = [this.#addressOf(sandbox, 4), this.#addressOf(sandbox, 6)];
    const listen = relayListens(sandbox.published, ipv6 !== '', this.#parts.options.respectHostFirewall ?? false);
    return { containerId: sandbox.containerId, ranges: sandbox.published, ipv4, ipv6, listen };
  }

  async #serveRelay(sandbox: StoredSandbox): Promise<void> {
    const publication = this.publication(sandbox);
    if (publication !== undefined) await this.#parts.companion.publish(publication);
  }

  async #serveNames(sandbox: StoredSandbox): Promise<void> {
    const names = this.names(sandbox);
    if (names !== undefined) await this.#parts.companion.serve(names);
  }

  names(sandbox: StoredSandbox): SandboxNames | undefined {
    const members = sandbox.endpoints
      .map((endpoint) => ({ endpoint, network: this.#network(endpoint) }))
      .filter(({ network }) => hasDns(network));
    if (members.length === 0) return undefined;
    const request = this.#resolvRequest(sandbox);
    const own = request.servers.length > 0;
    const links: Record<string, string> = {};
    for (const { endpoint } of members)
      for (const text of endpoint.links ?? []) {
        const { target, alias } = parseLink(text);
        links[alias] = target;
      }
    return {
      sandboxId: sandbox.sandboxId,
      netnsPath: this.netnsPath(sandbox),
      networks: members.map(({ network }) => network.id),
      upstreams: own ? effective(request).servers : 'host',
      links,
      records: members.map(({ endpoint, network }) => ({
        network: network.id,
        networkName: network.name,
        names: dnsNames(network, sandbox, endpoint) ?? [],
        addresses: [endpoint.ipv4, endpoint.ipv6].filter((text) => text !== '').map((text) => text.split('/')[0]!),
      })),
      internal: sandbox.endpoints.every((endpoint) => this.#network(endpoint).internal),
    };
  }

  #overrides(dns: StoredSandbox['dns']): Omit<ResolvRequest, 'ipv6'> {
    const { options } = this.#parts;
    const or = (own: string[], general: string[] | undefined) => (own.length > 0 ? own : (general ?? []));
    return {
      host: hostResolvConf(),
      servers: or(dns.servers, options.dns),
      search: or(dns.search, options.dnsSearch),
      options: or(dns.options, options.dnsOptions),
    };
  }

  #resolvRequest(sandbox: StoredSandbox): ResolvRequest {
    return {
      ...this.#overrides(sandbox.dns),
      ipv6: sandbox.endpoints.some((endpoint) => endpoint.ipv6 !== ''),
    };
  }

  #resolvConf(sandbox: StoredSandbox): string {
    const request = this.#resolvRequest(sandbox);
    if (sandbox.endpoints.some((endpoint) => hasDns(this.#network(endpoint)))) return embeddedResolvConf(request);
    return plainResolvConf(request, sandbox.kind === 'host');
  }

  /** The machine's addresses on the default bridge: what `host-gateway` stands for. */
  #hostGateways(): string[] {
    const pools = this.#parts.book.byName('bridge')?.pools ?? [];
    return pools.flatMap((pool) => (pool.gateway === undefined ? [] : [pool.gateway]));
  }

  hostFiles({
    dns,
    extraHosts,
  }: Pick<SandboxRequest, 'dns' | 'extraHosts'>): Pick<SandboxState, 'hosts' | 'resolvConf'> {
    return {
      hosts: extraHostEntries(extraHosts, this.#hostGateways()),
      resolvConf: plainResolvConf({ ...this.#overrides(dns), ipv6: true }, true),
    };
  }

  #hosts(sandbox: StoredSandbox): SandboxState['hosts'] {
    const gateways = this.#hostGateways();
    const linked = sandbox.endpoints.flatMap((endpoint) =>
      hasDns(this.#network(endpoint))
        ? []
        : (endpoint.links ?? []).flatMap((text) => {
            const link = parseLink(text);
            const target = this.#byName(link.target);
            return target === undefined ? [] : linkEntries(link, target, endpoint.networkId);
          }),
    );
    return [...extraHostEntries(sandbox.extraHosts, gateways), ...linked, ...ownEntries(sandbox)];
  }

  /** Tells containers that are linked to this one, and lets them through, when it came (again) with another address. */
  #relinkDependents(target: StoredSandbox): void {
    for (const sandbox of this.all()) {
      if (sandbox === target) continue;
      const linked = sandbox.endpoints.some((endpoint) =>
        (endpoint.links ?? []).some((text) => this.#byName(parseLink(text).target) === target),
      );
      if (!linked) continue;
      this.#parts.rules.add(this.#linkElements(sandbox));
      this.#parts.hostsChanged(sandbox.containerId, this.state(sandbox));
    }
  }

  state(sandbox: StoredSandbox): SandboxState {
    const ports: SandboxState['ports'] = {};
    if (sandbox.kind === 'own')
      for (const key of [...sandbox.exposed].sort()) {
        const { port, proto } = parsePortKey(key);
        ports[`${port}/${proto}`] = sandbox.ports[key] ?? null;
      }
    return {
      sandboxId: sandbox.sandboxId,
      netnsPath: this.netnsPath(sandbox),
      endpoints: Object.fromEntries(
        sandbox.endpoints.map((endpoint) => {
          const network = this.#network(endpoint);
          return [network.name, endpointAnswer(network, sandbox, endpoint)];
        }),
      ),
      ports,
      hosts:
        sandbox.kind === 'host' ? extraHostEntries(sandbox.extraHosts, this.#hostGateways()) : this.#hosts(sandbox),
      resolvConf: this.#resolvConf(sandbox),
    };
  }

  counters(containerId: string): Record<string, Record<string, number>> {
    const sandbox = this.#open.get(containerId);
    if (sandbox === undefined || sandbox.kind === 'host') return {};
    const inside = Links.open(this.netnsPath(sandbox));
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

function portAnswers(grants: readonly PortGrant[]): StoredSandbox['ports'] {
  const answers: StoredSandbox['ports'] = {};
  for (const { key, hostIps, hostPort } of grants) {
    answers[key] ??= [];
    for (const ip of hostIps) answers[key].push({ HostIp: ip, HostPort: String(hostPort) });
  }
  return answers;
}

function hostResolvConf(): string {
  try {
    return readFileSync('/etc/resolv.conf', 'utf8');
  } catch {
    return '';
  }
}

/** The machine's own namespace under a path, for runtimes that want one. */
function pinHost(path: string): void {
  releaseNetworkNamespace(path);
  pinNetworkNamespace(path);
}
