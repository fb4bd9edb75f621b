import type { Filters } from '../common/index.ts';
import type {
  CreateNetworkBody,
  EndpointSettings,
  EndpointSettingsAnswer,
  NetworkInspect,
  PortMap,
} from '../wire/index.ts';

/**
 * Networks, endpoints, sandboxes.
 *
 * - A *network* is a driver (bridge, macvlan, ipvlan, host, null) with subnets.
 * - An *endpoint* is a container's place on a network: addresses, MAC, names. Configured while the container is stopped; realised in its sandbox.
 * - A *sandbox* is a container's network namespace, kept at `<exec-root>/netns/<sandbox id>`, with its endpoints' interfaces, DNS server and
 *   published ports. It lives from start to stop.
 */
export interface NetworkRecord {
  id: string;
  name: string;
  driver: 'bridge' | 'macvlan' | 'ipvlan' | 'host' | 'null';
  options: Record<string, string>;
  labels: Record<string, string>;
  internal: boolean;
  attachable: boolean;
  ipv4: boolean;
  ipv6: boolean;
  created: string;
}

/** What a container asked for on one network, by network name or id. */
export interface EndpointRequest {
  network: string;
  settings: EndpointSettings;
}

export interface SandboxRequest {
  containerId: string;
  containerName: string;
  hostname: string;
  /** Joined to the host name in /etc/hosts. */
  domainname?: string;
  endpoints: EndpointRequest[];
  ports: PortMap;
  /** Image's and config's exposed ports, for `publishAll`. */
  exposed: string[];
  publishAll: boolean;
  sysctls: Record<string, string>;
  dns: { servers: string[]; search: string[]; options: string[] };
  extraHosts: string[];
}

export interface SandboxState {
  sandboxId: string;
  /** Path for the OCI network namespace. On the `host` network it is the machine's own: there a spec should name no namespace. */
  netnsPath: string;
  /** By network name, as inspect shows. */
  endpoints: Record<string, EndpointSettingsAnswer>;
  ports: Record<string, { HostIp: string; HostPort: string }[] | null>;
  /** Lines for /etc/hosts (own addresses and links) and the text of /etc/resolv.conf. */
  hosts: { ip: string; names: string[] }[];
  resolvConf: string;
}

export interface NetworkService {
  create(body: CreateNetworkBody): Promise<{ Id: string; Warning: string }>;
  /** By name, id or prefix; throws not-found `network X not found`. */
  resolve(ref: string): NetworkRecord;
  inspect(ref: string, options: { verbose?: boolean; scope?: string }): Promise<NetworkInspect>;
  list(filters: Filters): Promise<NetworkInspect[]>;
  remove(ref: string): Promise<void>;
  prune(filters: Filters): Promise<{ NetworksDeleted: string[] }>;

  /** Makes netns, interfaces, addresses, DNS, ports. All or nothing. Its part of a start should take under 10 ms. */
  openSandbox(request: SandboxRequest): Promise<SandboxState>;
  /** Removes all of it; addresses are free again. Idempotent. */
  closeSandbox(containerId: string): Promise<void>;
  sandbox(containerId: string): SandboxState | undefined;
  /** Adds or removes one endpoint of a running container. */
  connect(containerId: string, request: EndpointRequest): Promise<SandboxState>;
  disconnect(containerId: string, network: string): Promise<SandboxState>;
  rename(containerId: string, newName: string): Promise<void>;
  /** Takes a link of the default bridge, as `SandboxRequest` had it, from a running container. */
  unlink(containerId: string, link: string): void;
  /** What a container in the machine's own namespace sees in /etc: its resolv.conf, and the lines it adds to the machine's hosts file. */
  hostFiles(request: Pick<SandboxRequest, 'dns' | 'extraHosts'>): Pick<SandboxState, 'hosts' | 'resolvConf'>;
  /** Checks a request before anything starts (`network X not found`, bad addresses); throws in Docker's words. */
  validate(request: EndpointRequest): void;
  /** Interface counters of a sandbox: rx/tx bytes, packets, errors, dropped by interface name. */
  counters(containerId: string): Promise<Record<string, Record<string, number>>>;
  /** Re-adopts the sandboxes of running containers, removes all others of this daemon, restores flushed rules. */
  reconcile(running: (containerId: string) => boolean): Promise<void>;
  /** Puts this daemon's nftables table back (SIGHUP). */
  restoreRules(): Promise<void>;
  close(): Promise<void>;
}
