import type { Database } from '../state/index.ts';
import type { IPAMPool } from '../wire/index.ts';
import type { Pool } from './ipam.ts';
import type { NetworkRecord } from './types.ts';

/** A network as it is kept: with its address pools. */
export interface StoredNetwork extends NetworkRecord {
  ipamDriver: string;
  ipamOptions: Record<string, string> | null;
  pools: Pool[];
  /** Blocks of a configuration network, and IPv6 blocks asked for of a network without IPv6: shown as given, otherwise unused, as in Docker. */
  idlePools?: IPAMPool[];
  /** Only lends its configuration to others; no container is ever on it. */
  configOnly?: true;
  /** Name of the configuration network that this one was made from. */
  configFrom?: string;
  /** The kernel's bridge, or the parent interface of macvlan and ipvlan. */
  link: string;
  /** The link was here before the network and outlives it. */
  foreignLink: boolean;
}

/** An endpoint of an open sandbox. Texts, as inspect shows them. */
export interface StoredEndpoint {
  networkId: string;
  endpointId: string;
  /** Inside: `eth0`. */
  ifname: string;
  /** The host's end of the veth pair; '' for other drivers. */
  hostIfname: string;
  mac: string;
  ipv4: string;
  ipv6: string;
  gwPriority: number;
  /** What was asked for, for inspect. */
  ipamConfig: { IPv4Address?: string; IPv6Address?: string; LinkLocalIPs?: string[] } | null;
  requestedMac: string;
  links: string[] | null;
  aliases: string[] | null;
  driverOpts: Record<string, string> | null;
}

/** A run of published ports with equal distance between host and container ports. */
export interface PublishedRange {
  proto: 'tcp' | 'udp' | 'sctp';
  hostIp: string;
  hostPort: number;
  containerPort: number;
  count: number;
}

export interface StoredSandbox {
  containerId: string;
  containerName: string;
  hostname: string;
  domainname: string;
  sandboxId: string;
  kind: 'own' | 'host' | 'none';
  endpoints: StoredEndpoint[];
  published: PublishedRange[];
  /** Ports of a network whose gateway mode is `routed`: open at the container's own address, no port of the machine. */
  opened?: PublishedRange[];
  /** The request's ports, in order: which key has which bindings. */
  exposed: string[];
  ports: Record<string, { HostIp: string; HostPort: string }[]>;
  dns: { servers: string[]; search: string[]; options: string[] };
  extraHosts: string[];
}

const MIGRATIONS = [
  `CREATE TABLE networks (id TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT;
   CREATE TABLE sandboxes (container_id TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT;`,
];

/** Networks and open sandboxes on disk. An address is leased by being in a stored sandbox. */
export class NetworkStore {
  readonly #db: Database;
  readonly #saveNetwork;
  readonly #dropNetwork;
  readonly #saveSandbox;
  readonly #dropSandbox;

  constructor(db: Database) {
    db.migrate('network', MIGRATIONS);
    this.#db = db;
    const save = 'ON CONFLICT DO UPDATE SET body = excluded.body';
    this.#saveNetwork = db.sql.prepare(`INSERT INTO networks VALUES (?, ?) ${save}`);
    this.#dropNetwork = db.sql.prepare('DELETE FROM networks WHERE id = ?');
    this.#saveSandbox = db.sql.prepare(`INSERT INTO sandboxes VALUES (?, ?) ${save}`);
    this.#dropSandbox = db.sql.prepare('DELETE FROM sandboxes WHERE container_id = ?');
  }

  networks(): StoredNetwork[] {
    return this.#db.sql
      .prepare('SELECT body FROM networks')
      .all()
      .map((row) => JSON.parse(String(row.body)) as StoredNetwork);
  }
  sandboxes(): StoredSandbox[] {
    return this.#db.sql
      .prepare('SELECT body FROM sandboxes')
      .all()
      .map((row) => JSON.parse(String(row.body)) as StoredSandbox);
  }
  saveNetwork(network: StoredNetwork): void {
    this.#saveNetwork.run(network.id, JSON.stringify(network));
  }
  dropNetwork(id: string): void {
    this.#dropNetwork.run(id);
  }
  saveSandbox(sandbox: StoredSandbox): void {
    this.#saveSandbox.run(sandbox.containerId, JSON.stringify(sandbox));
  }
  dropSandbox(containerId: string): void {
    this.#dropSandbox.run(containerId);
  }
}
