import { addressBytes, parseAddress } from './address.ts';
import { encodeName } from './dns-wire.ts';
import type { SandboxNames } from './names.ts';

/** All addresses of a name on one network. */
export interface NameEntry {
  ipv4: Buffer[];
  ipv6: Buffer[];
  /** Counts answers, for round robin. */
  turn: number;
}

interface Zone {
  networkName: string;
  names: Map<string, NameEntry>;
  /** Name under in-addr.arpa or ip6.arpa → the encoded name. */
  reverse: Map<string, Buffer[]>;
}

/** The name under which an address is looked up backwards (RFC 1035 3.5, RFC 3596 2.5). */
export function reverseName(text: string): string | undefined {
  const address = parseAddress(text);
  if (address === undefined) return undefined;
  const bytes = addressBytes(address);
  if (address.family === 4) return `${[...bytes].reverse().join('.')}.in-addr.arpa`;
  return `${[...bytes.toString('hex')].reverse().join('.')}.ip6.arpa`;
}

/** Names by network, of all sandboxes. A sandbox sees the networks it is on, and no others. */
export class Zones {
  readonly #zones = new Map<string, Zone>();
  readonly #sandboxes = new Map<string, SandboxNames>();

  set(names: SandboxNames): void {
    const before = this.#sandboxes.get(names.sandboxId);
    this.#sandboxes.set(names.sandboxId, names);
    this.#rebuild([...(before?.records ?? []), ...names.records].map((record) => record.network));
  }

  delete(sandboxId: string): void {
    const before = this.#sandboxes.get(sandboxId);
    this.#sandboxes.delete(sandboxId);
    this.#rebuild((before?.records ?? []).map((record) => record.network));
  }

  ids(): string[] {
    return [...this.#sandboxes.keys()];
  }

  #rebuild(networks: readonly string[]): void {
    for (const network of new Set(networks)) {
      const zone: Zone = { networkName: '', names: new Map(), reverse: new Map() };
      for (const sandbox of this.#sandboxes.values())
        for (const record of sandbox.records) if (record.network === network) addRecord(zone, record);
      if (zone.names.size === 0) this.#zones.delete(network);
      else this.#zones.set(network, zone);
    }
  }

  /** The entry for a lower-case name as `sandbox` sees it: plain, or with its network's name behind, which may have dots too. */
  find(sandbox: SandboxNames, name: string): NameEntry | undefined {
    const zones = sandbox.networks.map((network) => this.#zones.get(network)).filter((zone) => zone !== undefined);
    const link = (alias: string) => Object.entries(sandbox.links).find(([key]) => key.toLowerCase() === alias)?.[1];
    const entry = (zone: Zone, plain: string) => zone.names.get(link(plain)?.toLowerCase() ?? plain);
    for (const zone of zones) {
      const found = entry(zone, name);
      if (found !== undefined) return found;
    }
    for (const zone of zones) {
      const suffix = `.${zone.networkName}`;
      const found = name.endsWith(suffix) ? entry(zone, name.slice(0, -suffix.length)) : undefined;
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** Encoded names for a reverse lookup. */
  findReverse(sandbox: SandboxNames, name: string): Buffer[] | undefined {
    for (const network of sandbox.networks) {
      const found = this.#zones.get(network)?.reverse.get(name);
      if (found !== undefined) return found;
    }
    return undefined;
  }
}

function addRecord(zone: Zone, record: SandboxNames['records'][number]): void {
  zone.networkName = record.networkName.toLowerCase();
  for (const text of record.addresses) {
    const address = parseAddress(text);
    if (address === undefined) continue;
    const bytes = addressBytes(address);
    for (const name of record.names) {
      const key = name.toLowerCase();
      let entry = zone.names.get(key);
      if (entry === undefined) {
        entry = { ipv4: [], ipv6: [], turn: 0 };
        zone.names.set(key, entry);
      }
      (address.family === 4 ? entry.ipv4 : entry.ipv6).push(bytes);
    }
    const reverse = reverseName(text);
    if (reverse !== undefined && record.names[0] !== undefined)
      zone.reverse.set(reverse, [encodeName(`${record.names[0]}.${record.networkName}`)]);
  }
}
