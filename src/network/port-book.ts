import { internal } from '../common/index.ts';
import { parseAddress } from './address.ts';
import { ephemeralRange, guardPort, holdPort, hostPort, type Protocol, releasePort } from './host-ports.ts';
import { compact, type PortGrant, type PortWish } from './ports.ts';
import type { PublishedRange } from './store.ts';

/** Sockets held for one container; past this number ports are checked once and not held, so that ten thousand cost nothing. */
const HELD_AT_MOST = 64;

export interface Allocation {
  grants: PortGrant[];
  ranges: PublishedRange[];
}

/** Says which ports another process holds: those are only tried, and let go. */
export type HeldElsewhere = (port: Pick<PublishedRange, 'proto' | 'hostIp'>) => boolean;

export interface PortOwner {
  heldElsewhere: HeldElsewhere;
  /** The container's address, for messages. */
  targetIp: string;
}

const REASONS: Record<string, string | undefined> = {
  'in-use': 'address already in use',
  'no-address': 'cannot assign requested address',
  denied: 'permission denied',
  invalid: 'invalid argument',
};

/** How many ports would do. */
const choiceOf = ({ first, last }: PortWish): number => (first === 0 ? 65536 : last - first);

/** All ports that this daemon publishes, and the sockets that hold them against other programs. */
export class PortBook {
  readonly #ranges = new Map<string, PublishedRange[]>();
  readonly #sockets = new Map<string, number[]>();
  /** As Docker, ephemeral ports are given in turn, so a port just freed is not given at once. */
  #nextEphemeral = 0;

  /** The address on which a port is held that would be needed on `ip`; the wildcards hold every address of their family. */
  #heldOn(proto: Protocol, ip: string, port: number): string | undefined {
    const zero = ip === '0.0.0.0' || ip === '::';
    const family = ip.includes(':');
    for (const ranges of this.#ranges.values())
      for (const range of ranges) {
        if (range.proto !== proto || port < range.hostPort || port >= range.hostPort + range.count) continue;
        if (range.hostIp.includes(':') !== family) continue;
        if (zero || range.hostIp === ip || range.hostIp === '0.0.0.0' || range.hostIp === '::') return range.hostIp;
      }
    return undefined;
  }

  /** Meets all wishes or none. Throws Docker's words for a port that is taken. */
  allocate(containerId: string, wishes: readonly PortWish[], owner: PortOwner): Allocation {
    const granted = new Map<PortWish, PortGrant>();
    const sockets: number[] = [];
    const mine: PublishedRange[] = [];
    this.#ranges.set(containerId, mine);
    try {
      // Who has the least choice comes first: a port given to a wish for any must not be the one that another names.
      for (const wish of wishes.toSorted((a, b) => choiceOf(a) - choiceOf(b))) {
        const port = this.#grant(wish, sockets, owner);
        for (const hostIp of wish.hostIps)
          mine.push({ proto: wish.proto, hostIp, hostPort: port, containerPort: wish.containerPort, count: 1 });
        const { key, proto, containerPort, hostIps } = wish;
        granted.set(wish, { key, proto, containerPort, hostIps, hostPort: port });
      }
    } catch (error) {
      for (const fd of sockets) releasePort(fd);
      this.#ranges.delete(containerId);
      throw error;
    }
    const grants = wishes.map((wish) => granted.get(wish)!);
    const ranges = compact(grants);
    this.adopt(containerId, ranges, sockets);
    return { grants, ranges };
  }

  #grant(wish: PortWish, sockets: number[], owner: PortOwner): number {
    let [first, last] = [wish.first, wish.last];
    let start = first;
    if (first === 0) {
      [first, last] = ephemeralRange();
      start = this.#nextEphemeral >= first && this.#nextEphemeral <= last ? this.#nextEphemeral : first;
    }
    const size = last - first + 1;
    let failure: Error | undefined;
    for (let step = 0; step < size; step++) {
      const port = first + ((start - first + step) % size);
      try {
        this.#take(wish, port, sockets, owner);
      } catch (error) {
        failure ??= error as Error;
        continue;
      }
      if (wish.first === 0) this.#nextEphemeral = port + 1;
      return port;
    }
    throw failure ?? internal('all ports are allocated');
  }

  #take(wish: PortWish, port: number, sockets: number[], owner: PortOwner): void {
    const taken: number[] = [];
    try {
      for (const ip of wish.hostIps) {
        const held = this.#heldOn(wish.proto, ip, port);
        if (held !== undefined) throw internal(`Bind for ${held}:${port} failed: port is already allocated`);
      }
      for (const ip of wish.hostIps) {
        const held = holdPort(wish.proto, parseAddress(ip)!, port);
        if ('fd' in held) {
          if (owner.heldElsewhere({ proto: wish.proto, hostIp: ip })) releasePort(held.fd);
          else taken.push(held.fd);
          continue;
        }
        const reason = REASONS[held.code];
        const target = `${hostPort(ip, port)}:${hostPort(owner.targetIp, wish.containerPort)}/${wish.proto}`;
        if (reason !== undefined) throw internal(`failed to bind host port for ${target}: ${reason}`);
        // A kernel without SCTP sockets still translates its packets.
      }
    } catch (error) {
      for (const fd of taken) releasePort(fd);
      throw error;
    }
    for (const fd of taken)
      if (sockets.length < HELD_AT_MOST) sockets.push(fd);
      else releasePort(fd);
  }

  /** Enters ports that are published already; `sockets` hold them. */
  adopt(containerId: string, ranges: PublishedRange[], sockets: number[]): void {
    if (ranges.length === 0) this.#ranges.delete(containerId);
    else this.#ranges.set(containerId, ranges);
    if (sockets.length > 0) this.#sockets.set(containerId, sockets);
  }

  /** Takes the sockets of published ports again, after a restart; those that somebody else has meanwhile are returned. */
  hold(containerId: string, ranges: PublishedRange[], heldElsewhere: HeldElsewhere): PublishedRange[] {
    const sockets: number[] = [];
    const lost: PublishedRange[] = [];
    for (const range of ranges.filter((candidate) => !heldElsewhere(candidate)))
      for (let offset = 0; offset < range.count && sockets.length < HELD_AT_MOST; offset++) {
        const held = holdPort(range.proto, parseAddress(range.hostIp)!, range.hostPort + offset);
        if ('fd' in held && guardPort(held.fd)) sockets.push(held.fd);
        else lost.push({ ...range, hostPort: range.hostPort + offset, count: 1 });
      }
    this.adopt(containerId, ranges, sockets);
    return lost;
  }

  /** The rules of a container's ports are there: now its sockets keep other programs away. Throws Docker's words where one was quicker. */
  guard(containerId: string): void {
    for (const fd of this.#sockets.get(containerId) ?? [])
      if (!guardPort(fd)) throw internal(`failed to bind a published port: ${REASONS['in-use']}`);
  }

  release(containerId: string): void {
    for (const fd of this.#sockets.get(containerId) ?? []) releasePort(fd);
    this.#sockets.delete(containerId);
    this.#ranges.delete(containerId);
  }

  close(): void {
    for (const id of [...this.#sockets.keys()]) this.release(id);
  }
}
