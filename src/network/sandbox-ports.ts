import { internal, messageOf } from '../common/index.ts';
import { parseAddress } from './address.ts';
import { machineHasIpv6 } from './bridges.ts';
import { gatewayEndpoints } from './gateway-choice.ts';
import type { NetworkBook } from './network-book.ts';
import type { NetworkOptions } from './options.ts';
import type { HeldElsewhere, PortBook } from './port-book.ts';
import { compact, type PortGrant, type PortWish, parsePortKey, portWishes } from './ports.ts';
import { type Publication, relayHolds, relayListens } from './relay-targets.ts';
import { gatewayMode } from './rules.ts';
import type { PublishedRange, StoredSandbox } from './store.ts';
import type { SandboxRequest, SandboxState } from './types.ts';

/** Published ports of sandboxes. They lead to the endpoint that has the default route. */
export class SandboxPorts {
  readonly #options: NetworkOptions;
  readonly #networks: NetworkBook;
  readonly #ports: PortBook;

  constructor(options: NetworkOptions, networks: NetworkBook, ports: PortBook) {
    this.#options = options;
    this.#networks = networks;
    this.#ports = ports;
  }

  #gateways(sandbox: StoredSandbox): ReturnType<typeof gatewayEndpoints> {
    return gatewayEndpoints(sandbox, (id) => this.#networks.byId(id));
  }

  #addressOf(sandbox: StoredSandbox, family: 4 | 6): string {
    const endpoint = this.#gateways(sandbox)[family];
    return (family === 4 ? endpoint?.ipv4 : endpoint?.ipv6)?.split('/')[0] ?? '';
  }

  /** Meets the request's port wishes, or throws Docker's words. */
  publish(sandbox: StoredSandbox, request: Pick<SandboxRequest, 'ports' | 'exposed' | 'publishAll'>): void {
    const wanted = { ...request.ports };
    if (request.publishAll)
      for (const key of request.exposed)
        if ((wanted[key] ?? []).length === 0) wanted[key] = [{ HostIp: '', HostPort: '' }];
    for (const key of Object.keys(wanted)) parsePortKey(key);
    const gateways = this.#gateways(sandbox);
    const endpoint = gateways[4] ?? gateways[6];
    const network = endpoint === undefined ? undefined : this.#networks.byId(endpoint.networkId);
    if (endpoint === undefined || network?.driver !== 'bridge') return;
    const binding = network.options['com.docker.network.bridge.host_binding_ipv4'];
    const defaultIp = binding ?? this.#options.ip ?? '0.0.0.0';
    // The relay carries IPv6 to a container that has only IPv4, but not the other way round, as docker-proxy.
    const led = (hostIp: string): boolean => gateways[4] !== undefined || hostIp.includes(':');
    const wishes = portWishes(wanted, { defaultIp, dual: machineHasIpv6() })
      .map((wish) => ({ ...wish, hostIps: wish.hostIps.filter(led) }))
      .filter((wish) => wish.hostIps.length > 0);
    const isRouted = (hostIp: string): boolean => {
      const family = parseAddress(hostIp)!.family;
      const leading = gateways[family] && this.#networks.byId(gateways[family].networkId);
      return leading !== undefined && gatewayMode(leading, family) === 'routed';
    };
    try {
      const { grants, ranges } = this.#ports.allocate(
        sandbox.containerId,
        wishes.map((wish) => ({ ...wish, hostIps: wish.hostIps.filter((ip) => !isRouted(ip)) })),
        {
          heldElsewhere: this.#heldElsewhere(sandbox),
          targetIp: (endpoint.ipv4 || endpoint.ipv6).split('/')[0]!,
        },
      );
      sandbox.published = ranges;
      sandbox.ports = portAnswers(wishes, grants);
    } catch (error) {
      const where = `${sandbox.containerName} (${endpoint.endpointId})`;
      throw internal(`driver failed programming external connectivity on endpoint ${where}: ${messageOf(error)}`);
    }
    const routed = wishes.map((wish) => ({ ...wish, hostIps: wish.hostIps.filter(isRouted) }));
    if (routed.some((wish) => wish.hostIps.length > 0))
      sandbox.opened = compact(routed.map((wish) => ({ ...wish, hostPort: wish.containerPort })));
  }

  /** `NetworkSettings.Ports`: published and exposed ones. None where nothing leads into the container, as in Docker. */
  states(sandbox: StoredSandbox): SandboxState['ports'] {
    const gateways = this.#gateways(sandbox);
    const endpoint = gateways[4] ?? gateways[6];
    const ports: SandboxState['ports'] = {};
    if (endpoint === undefined || this.#networks.byId(endpoint.networkId)?.driver !== 'bridge') return ports;
    for (const key of [...sandbox.exposed].sort()) {
      const { port, proto } = parsePortKey(key);
      ports[`${port}/${proto}`] = sandbox.ports[key] ?? null;
    }
    return ports;
  }

  /** Takes ports again after a restart of the daemon; answers which ones another program has meanwhile. */
  hold(sandbox: StoredSandbox): PublishedRange[] {
    return this.#ports.hold(sandbox.containerId, sandbox.published, this.#heldElsewhere(sandbox));
  }

  /** To be called when the rules are there. */
  guard(sandbox: StoredSandbox): void {
    this.#ports.guard(sandbox.containerId);
  }

  release(sandbox: StoredSandbox): void {
    this.#ports.release(sandbox.containerId);
  }

  #heldElsewhere(sandbox: StoredSandbox): HeldElsewhere {
    const hasIpv6 = this.#addressOf(sandbox, 6) !== '';
    return (port) => relayHolds(port, hasIpv6, this.#options.respectHostFirewall ?? false);
  }

  /** What the companion's relay needs to know; undefined without published ports. */
  publication(sandbox: StoredSandbox): Publication | undefined {
    if (sandbox.published.length === 0) return undefined;
    const [ipv4, ipv6] = [this.#addressOf(sandbox, 4), this.#addressOf(sandbox, 6)];
    const listen = relayListens(sandbox.published, ipv6 !== '', this.#options.respectHostFirewall ?? false);
    return { containerId: sandbox.containerId, ranges: sandbox.published, ipv4, ipv6, listen };
  }
}

/** `grants` in the order of `wishes`. An address without a grant is routed: any address of its family, no port. */
function portAnswers(wishes: readonly PortWish[], grants: readonly PortGrant[]): StoredSandbox['ports'] {
  const answers: StoredSandbox['ports'] = {};
  for (const [index, { key, hostIps }] of wishes.entries())
    for (const ip of hostIps) {
      const grant = grants[index]!;
      answers[key] ??= [];
      if (grant.hostIps.includes(ip)) answers[key].push({ HostIp: ip, HostPort: String(grant.hostPort) });
      else answers[key].push({ HostIp: ip.includes(':') ? '::' : '0.0.0.0', HostPort: '' });
    }
  return answers;
}
