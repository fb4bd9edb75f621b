import { readFileSync } from 'node:fs';
import { dnsNames, hasDns } from './answers.ts';
import { extraHostEntries, linkEntries, ownEntries, parseLink } from './hosts.ts';
import type { SandboxNames } from './names.ts';
import type { NetworkBook } from './network-book.ts';
import type { NetworkOptions } from './options.ts';
import { effective, embeddedResolvConf, plainResolvConf, type ResolvRequest } from './resolv-conf.ts';
import type { SandboxBook } from './sandbox-book.ts';
import type { StoredSandbox } from './store.ts';
import type { SandboxRequest, SandboxState } from './types.ts';

/** How a sandbox finds others by name: what its DNS server answers, its resolv.conf, its hosts file. */
export class NameFiles {
  readonly #options: NetworkOptions;
  readonly #networks: NetworkBook;
  readonly #sandboxes: SandboxBook;

  constructor(options: NetworkOptions, networks: NetworkBook, sandboxes: SandboxBook) {
    this.#options = options;
    this.#networks = networks;
    this.#sandboxes = sandboxes;
  }

  /** What its DNS server needs to know; undefined for a sandbox that has none. */
  served(sandbox: StoredSandbox): SandboxNames | undefined {
    const members = sandbox.endpoints
      .map((endpoint) => ({ endpoint, network: this.#sandboxes.networkOf(endpoint) }))
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
      netnsPath: this.#sandboxes.netnsPath(sandbox),
      networks: members.map(({ network }) => network.id),
      upstreams: own ? effective(request).servers : 'host',
      links,
      records: members.map(({ endpoint, network }) => ({
        network: network.id,
        networkName: network.name,
        names: dnsNames(network, sandbox, endpoint) ?? [],
        addresses: [endpoint.ipv4, endpoint.ipv6].filter((text) => text !== '').map((text) => text.split('/')[0]!),
      })),
      internal: sandbox.endpoints.every((endpoint) => this.#sandboxes.networkOf(endpoint).internal),
    };
  }

  resolvConf(sandbox: StoredSandbox): string {
    const request = this.#resolvRequest(sandbox);
    if (sandbox.endpoints.some((endpoint) => hasDns(this.#sandboxes.networkOf(endpoint))))
      return embeddedResolvConf(request);
    return plainResolvConf(request, sandbox.kind === 'host');
  }

  #resolvRequest(sandbox: StoredSandbox): ResolvRequest {
    return {
      ...this.#overrides(sandbox.dns),
      ipv6: sandbox.endpoints.some((endpoint) => endpoint.ipv6 !== ''),
    };
  }

  #overrides(dns: StoredSandbox['dns']): Omit<ResolvRequest, 'ipv6'> {
    const or = (own: string[], general: string[] | undefined) => (own.length > 0 ? own : (general ?? []));
    return {
      host: hostResolvConf(),
      servers: or(dns.servers, this.#options.dns),
      search: or(dns.search, this.#options.dnsSearch),
      options: or(dns.options, this.#options.dnsOptions),
    };
  }

  /** Lines of the hosts file. In the machine's own namespace only those that were asked for. */
  hosts(sandbox: StoredSandbox): SandboxState['hosts'] {
    const extra = extraHostEntries(sandbox.extraHosts, this.#hostGateways());
    if (sandbox.kind === 'host') return extra;
    const linked = sandbox.endpoints.flatMap((endpoint) =>
      hasDns(this.#sandboxes.networkOf(endpoint))
        ? []
        : (endpoint.links ?? []).flatMap((text) => {
            const link = parseLink(text);
            const target = this.#sandboxes.byName(link.target);
            return target === undefined ? [] : linkEntries(link, target, endpoint.networkId);
          }),
    );
    return [...extra, ...linked, ...ownEntries(sandbox)];
  }

  /** Both files for a container that has no sandbox but the machine's own namespace. */
  onHost({ dns, extraHosts }: Pick<SandboxRequest, 'dns' | 'extraHosts'>): Pick<SandboxState, 'hosts' | 'resolvConf'> {
    return {
      hosts: extraHostEntries(extraHosts, this.#hostGateways()),
      resolvConf: plainResolvConf({ ...this.#overrides(dns), ipv6: true }, true),
    };
  }

  /** The machine's addresses on the default bridge: what `host-gateway` stands for. */
  #hostGateways(): string[] {
    const pools = this.#networks.byName('bridge')?.pools ?? [];
    return pools.flatMap((pool) => (pool.gateway === undefined ? [] : [pool.gateway]));
  }
}

function hostResolvConf(): string {
  try {
    return readFileSync('/etc/resolv.conf', 'utf8');
  } catch {
    return '';
  }
}
