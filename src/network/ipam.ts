import { forbidden, internal } from '../common/index.ts';
import type { IPAMPool } from '../wire/index.ts';
import {
  type Address,
  bitsOf,
  contains,
  firstOf,
  formatAddress,
  formatPrefix,
  lastOf,
  networkOf,
  overlaps,
  type Prefix,
  parseAddress,
  parsePrefix,
} from './address.ts';

/** One subnet of a network, as texts: what is stored and what inspect shows. */
export interface Pool {
  subnet: string;
  /** Containers get addresses from this part only. */
  ipRange?: string;
  gateway?: string;
  /** The gateway was chosen by the engine for a configured subnet; Docker's inspect does not show those. */
  gatewayHidden?: boolean;
  /** Name → address that no container gets. */
  aux: Record<string, string>;
  /** False if the engine chose the subnet: then a container cannot ask for an address. */
  configured: boolean;
}

/** Subnets of `size` are cut out of `base` (`--default-address-pool`). */
export interface AddressSpace {
  base: string;
  size: number;
}

/** moby's daemon/libnetwork/ipamutils: local scope defaults. */
export const DEFAULT_SPACES: readonly AddressSpace[] = [
  ...[17, 18, 19, 20].map((second) => ({ base: `172.${second}.0.0/16`, size: 16 })),
  { base: '172.24.0.0/14', size: 16 },
  { base: '172.28.0.0/14', size: 16 },
  { base: '192.168.0.0/16', size: 20 },
];

/** The first free subnet of the family; `taken` are other networks' and the machine's own blocks. */
export function chooseSubnet(family: 4 | 6, spaces: readonly AddressSpace[], taken: readonly Prefix[]): Prefix {
  for (const space of spaces) {
    const base = parsePrefix(space.base);
    if (base === undefined || base.family !== family) continue;
    const step = 1n << BigInt(bitsOf(family) - space.size);
    for (let value = firstOf(base); value <= lastOf(base); ) {
      const candidate: Prefix = { family, value, length: space.size };
      const obstacle = taken.find((block) => overlaps(block, candidate));
      if (obstacle === undefined) return candidate;
      // Go on after the obstacle, so that a wide block costs one step.
      const after = lastOf(obstacle) + 1n;
      value = after <= value + step ? value + step : ((after + step - 1n) / step) * step;
    }
  }
  throw forbidden('all predefined address pools have been fully subnetted');
}

export const POOL_OVERLAPS = 'invalid pool request: Pool overlaps with other one on this address space';

/** Fills in the gateway of a checked pool; throws where blocks overlap. */
export function planPool(request: IPAMPool, options: { gatewayNeeded: boolean; taken: readonly Prefix[] }): Pool {
  const subnet = parsePrefix(request.Subnet ?? '')!;
  if (options.taken.some((block) => overlaps(block, subnet))) throw forbidden(POOL_OVERLAPS);
  const pool: Pool = {
    subnet: formatPrefix(networkOf(subnet)),
    aux: request.AuxiliaryAddresses ?? {},
    configured: true,
  };
  const range = parsePrefix(request.IPRange ?? '');
  if (range !== undefined) pool.ipRange = formatPrefix(networkOf(range));
  const gateway = parseAddress((request.Gateway ?? '').split('/')[0]!);
  if (gateway !== undefined) pool.gateway = formatAddress(gateway);
  else if (options.gatewayNeeded) {
    pool.gateway = formatAddress(defaultGateway(pool));
    pool.gatewayHidden = true;
  }
  checkReserved(pool);
  return pool;
}

/** The network's own and its broadcast address are nobody's; a /31 or /32 has neither (RFC 3021). */
function unusable(subnet: Prefix): bigint[] {
  if (bitsOf(subnet.family) - subnet.length <= 1) return [];
  return subnet.family === 4 ? [firstOf(subnet), lastOf(subnet)] : [firstOf(subnet)];
}

/** Throws where the gateway or an auxiliary address is taken already, in libnetwork's words. */
function checkReserved(pool: Pool): void {
  const taken = new Set(unusable(parsePrefix(pool.subnet)!));
  const take = (what: string, text: string): void => {
    const value = parseAddress(text)?.value;
    if (value === undefined) return;
    if (taken.has(value)) throw internal(`failed to allocate ${what}: Address already in use`);
    taken.add(value);
  };
  if (pool.gateway !== undefined) take(`gateway (${pool.gateway})`, pool.gateway);
  for (const [name, text] of Object.entries(pool.aux)) take(`secondary ip address (${name}:${text})`, text);
}

/** Says what is wrong with requested pools, in moby's words (api/types/network/ipam.go ValidateIPAM); empty if nothing. */
export function poolFaults(pools: readonly IPAMPool[], ipv6: boolean): string[] {
  const faults: string[] = [];
  for (const { Subnet = '', IPRange = '', Gateway = '', AuxiliaryAddresses = {} } of pools) {
    const subnet = parsePrefix(Subnet);
    if (subnet === undefined) {
      faults.push(`invalid subnet ${Subnet}: invalid CIDR block notation`);
      continue;
    }
    if (subnet.family === 6 && !ipv6) continue;
    const exact = networkOf(subnet);
    if (exact.value !== subnet.value) faults.push(`invalid subnet ${Subnet}: it should be ${formatPrefix(exact)}`);
    if (IPRange !== '') {
      const range = parsePrefix(IPRange);
      if (range === undefined) faults.push(`invalid ip-range ${IPRange}: invalid CIDR block notation`);
      else {
        if (range.family === subnet.family && range.length < subnet.length)
          faults.push(`invalid ip-range ${IPRange}: CIDR block is bigger than its parent subnet ${Subnet}`);
        if (range.family !== subnet.family || !contains(subnet, range))
          faults.push(`invalid ip-range ${IPRange}: parent subnet ${Subnet} doesn't contain ip-range`);
        else if (networkOf(range).value !== range.value)
          faults.push(`invalid ip-range ${IPRange}: it should be ${formatPrefix(networkOf(range))}`);
      }
    }
    const inside = (what: string, name: string, text: string): void => {
      const address = parseAddress(text);
      if (address === undefined) faults.push(`invalid ${what} ${name}: invalid address`);
      else if (!contains(subnet, address))
        faults.push(`invalid ${what} ${name}: parent subnet ${Subnet} doesn't contain this address`);
    };
    if (Gateway !== '') inside('gateway', Gateway, Gateway.split('/')[0]!);
    for (const [name, text] of Object.entries(AuxiliaryAddresses)) inside('auxiliary address', name, text);
  }
  return faults;
}

/** The first address that is no auxiliary one. */
export function defaultGateway(pool: Pool): Address {
  const within = parsePrefix(pool.ipRange ?? pool.subnet)!;
  const aux = Object.values(pool.aux).map((text) => parseAddress(text)?.value);
  const reserved = new Set([...unusable(parsePrefix(pool.subnet)!), ...aux]);
  for (let value = firstOf(networkOf(within)); value <= lastOf(within); value++)
    if (!reserved.has(value)) return { family: within.family, value };
  throw forbidden('no available IPv4 addresses on this network’s address pools');
}

/** The addresses of one pool: which are taken, which comes next. Rebuilt from the stored sandboxes at start. */
export class AddressPool {
  readonly subnet: Prefix;
  readonly pool: Pool;
  readonly #range: Prefix;
  readonly #taken = new Set<bigint>();
  /** Where the search for the next free address starts; nothing below is free. */
  #lowest: bigint;

  constructor(pool: Pool) {
    this.pool = pool;
    this.subnet = parsePrefix(pool.subnet)!;
    this.#range = pool.ipRange === undefined ? this.subnet : networkOf(parsePrefix(pool.ipRange)!);
    this.#lowest = firstOf(this.#range);
    for (const value of unusable(this.subnet)) this.#taken.add(value);
    for (const text of [pool.gateway, ...Object.values(pool.aux)]) {
      const address = text === undefined ? undefined : parseAddress(text);
      if (address !== undefined) this.#taken.add(address.value);
    }
  }

  contains(address: Address): boolean {
    return contains(this.subnet, address);
  }
  isFree(address: Address): boolean {
    return !this.#taken.has(address.value);
  }
  take(address: Address): void {
    this.#taken.add(address.value);
  }
  release(address: Address): void {
    this.#taken.delete(address.value);
    if (address.value < this.#lowest && contains(this.#range, address)) this.#lowest = address.value;
  }
  /** Takes the lowest free address; undefined if the pool is used up. */
  next(): Address | undefined {
    for (let value = this.#lowest; value <= lastOf(this.#range); value++) {
      if (this.#taken.has(value)) continue;
      this.#taken.add(value);
      this.#lowest = value + 1n;
      return { family: this.subnet.family, value };
    }
    return undefined;
  }
}
