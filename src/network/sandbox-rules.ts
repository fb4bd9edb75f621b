import { gatewayEndpoints } from './gateway-choice.ts';
import { parseLink } from './hosts.ts';
import type { NetworkBook } from './network-book.ts';
import type { NetworkOptions } from './options.ts';
import type { RuleSet } from './rule-set.ts';
import {
  type Element,
  endpointElements,
  gatewayMode,
  linkElements,
  type PublishTarget,
  publishElements,
  trustedInterfaces,
} from './rules.ts';
import type { SandboxBook } from './sandbox-book.ts';
import type { StoredSandbox } from './store.ts';

/** The nftables elements of sandboxes. */
export class SandboxRules {
  readonly #options: NetworkOptions;
  readonly #rules: RuleSet;
  readonly #networks: NetworkBook;
  readonly #sandboxes: SandboxBook;

  constructor(options: NetworkOptions, rules: RuleSet, networks: NetworkBook, sandboxes: SandboxBook) {
    this.#options = options;
    this.#rules = rules;
    this.#networks = networks;
    this.#sandboxes = sandboxes;
  }

  of(sandbox: StoredSandbox): Element[] {
    const networkOf = this.#sandboxes.networkOf.bind(this.#sandboxes);
    const elements = sandbox.endpoints.flatMap((endpoint) => endpointElements(endpoint, networkOf(endpoint)));
    const gateways = gatewayEndpoints(sandbox, (id) => this.#networks.byId(id));
    const target = (family: 4 | 6): PublishTarget => {
      const endpoint = gateways[family];
      const direct = this.#options.allowDirectRouting ?? false;
      if (endpoint === undefined) return { address: '', routed: false, direct, trusted: [] };
      const network = networkOf(endpoint);
      const [address = ''] = (family === 4 ? endpoint.ipv4 : endpoint.ipv6).split('/');
      return {
        address,
        routed: gatewayMode(network, family) === 'routed',
        direct,
        trusted: trustedInterfaces(network),
      };
    };
    const published = publishElements(sandbox.published, sandbox.opened ?? [], { 4: target(4), 6: target(6) });
    return [...elements, ...published, ...this.#linked(sandbox)];
  }

  /** What icc=false lets through for `--link`. */
  #linked(sandbox: StoredSandbox): Element[] {
    return sandbox.endpoints.flatMap((endpoint) =>
      (endpoint.links ?? []).flatMap((text) => {
        const target = this.#sandboxes.byName(parseLink(text).target);
        const other = target?.endpoints.find((candidate) => candidate.networkId === endpoint.networkId);
        return target === undefined || other === undefined ? [] : linkElements(endpoint, other, target.exposed);
      }),
    );
  }

  add(sandbox: StoredSandbox): void {
    this.#rules.add(this.of(sandbox));
  }

  /** Lets a sandbox through to those it links to, at the addresses they have now. */
  addLinked(sandbox: StoredSandbox): void {
    this.#rules.add(this.#linked(sandbox));
  }

  /** Takes away what no open sandbox needs: two containers may link to the same third. Never throws. */
  remove(elements: readonly Element[]): void {
    this.#rules.remove(this.#notShared(elements));
  }

  #notShared(elements: readonly Element[]): Element[] {
    if (!elements.some((element) => element.set === 'linked')) return [...elements];
    const kept = new Set(this.#sandboxes.all().flatMap((other) => this.#linked(other).map((element) => element.key)));
    return elements.filter((element) => element.set !== 'linked' || !kept.has(element.key));
  }

  /** From what a sandbox had to what it has now. */
  replace(old: readonly Element[], now: readonly Element[]): void {
    const key = (element: Element) => JSON.stringify(element);
    const had = new Set(old.map(key));
    const has = new Set(now.map(key));
    this.remove(old.filter((element) => !has.has(key(element))));
    this.#rules.add(now.filter((element) => !had.has(key(element))));
  }
}
