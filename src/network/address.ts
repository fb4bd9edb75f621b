import { isIPv4, isIPv6 } from 'node:net';

/** An IP address as a number, with its family. */
export interface Address {
  readonly family: 4 | 6;
  readonly value: bigint;
}

/** A block of addresses; `value` may be any address within it (as `172.17.0.1/16` is). */
export interface Prefix extends Address {
  /** Leading one bits of the mask. */
  readonly length: number;
}

export const bitsOf = (family: 4 | 6): number => (family === 4 ? 32 : 128);

/** undefined if the text is no address. An IPv4-mapped address becomes IPv4, as Go's net.ParseIP treats it. */
export function parseAddress(text: string): Address | undefined {
  if (isIPv4(text)) return { family: 4, value: text.split('.').reduce((sum, part) => (sum << 8n) | BigInt(part), 0n) };
  if (!isIPv6(text) || text.includes('%')) return undefined;
  let groups = text;
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text);
  if (dotted) {
    const low = parseAddress(dotted[2]!)!.value;
    groups = `${dotted[1]}${(low >> 16n).toString(16)}:${(low & 0xffffn).toString(16)}`;
  }
  const [head = '', tail] = groups.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const middle = tail === undefined ? [] : new Array<string>(8 - left.length - right.length).fill('0');
  const value = [...left, ...middle, ...right].reduce((sum, part) => (sum << 16n) | BigInt(`0x${part}`), 0n);
  if (value >> 32n === 0xffffn) return { family: 4, value: value & 0xffffffffn };
  return { family: 6, value };
}

/** Canonical text; IPv6 after RFC 5952. */
export function formatAddress({ family, value }: Address): string {
  if (family === 4) return [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 255n).join('.');
  const groups = Array.from({ length: 8 }, (_, index) => Number((value >> BigInt(112 - index * 16)) & 0xffffn));
  let best = { start: -1, length: 1 };
  for (let start = 0; start < 8; start++) {
    let end = start;
    while (end < 8 && groups[end] === 0) end++;
    if (end - start > best.length) best = { start, length: end - start };
  }
  const text = (from: number, to: number) =>
    groups
      .slice(from, to)
      .map((group) => group.toString(16))
      .join(':');
  return best.start < 0 ? text(0, 8) : `${text(0, best.start)}::${text(best.start + best.length, 8)}`;
}

/** `a.b.c.d/n`; undefined if malformed. */
export function parsePrefix(text: string): Prefix | undefined {
  const slash = text.lastIndexOf('/');
  const address = slash < 0 ? undefined : parseAddress(text.slice(0, slash));
  const digits = text.slice(slash + 1);
  if (address === undefined || !/^\d{1,3}$/.test(digits) || Number(digits) > bitsOf(address.family)) return undefined;
  return { ...address, length: Number(digits) };
}

export const formatPrefix = (prefix: Prefix): string => `${formatAddress(prefix)}/${prefix.length}`;

const hostBits = (prefix: Prefix): bigint => BigInt(bitsOf(prefix.family) - prefix.length);

/** The block's first address with its length: `172.17.0.1/16` gives `172.17.0.0/16`. */
export function networkOf(prefix: Prefix): Prefix {
  const shift = hostBits(prefix);
  return { ...prefix, value: (prefix.value >> shift) << shift };
}

export const firstOf = (prefix: Prefix): bigint => networkOf(prefix).value;
export const lastOf = (prefix: Prefix): bigint => firstOf(prefix) + (1n << hostBits(prefix)) - 1n;

export const contains = (prefix: Prefix, address: Address): boolean =>
  prefix.family === address.family && address.value >= firstOf(prefix) && address.value <= lastOf(prefix);

export const overlaps = (one: Prefix, other: Prefix): boolean =>
  one.family === other.family && firstOf(one) <= lastOf(other) && firstOf(other) <= lastOf(one);

/** Network byte order: 4 or 16 bytes. */
export function addressBytes({ family, value }: Address): Buffer {
  return Buffer.from(value.toString(16).padStart(family === 4 ? 8 : 32, '0'), 'hex');
}

export function addressFromBytes(bytes: Buffer): Address {
  return { family: bytes.length === 4 ? 4 : 6, value: BigInt(`0x${bytes.toString('hex')}`) };
}
