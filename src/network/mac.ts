import { randomBytes } from 'node:crypto';
import { type Address, addressBytes } from './address.ts';
import { macText } from './links.ts';

/** A random locally administered unicast address (IEEE 802: bit 1 of the first octet set, bit 0 clear). */
export function randomMac(): string {
  const bytes = randomBytes(6);
  bytes[0] = (bytes[0]! & 0xfe) | 0x02;
  return macText(bytes);
}

/**
 * The MAC for an IPv4 address on a bridge, as libnetwork's netutils.GenerateMACFromIP. It follows from the address, so
 * that a neighbour's ARP cache stays right when the next container gets the same address.
 */
export const macForAddress = (address: Address): string =>
  macText(Buffer.concat([Buffer.from([0x02, 0x42]), addressBytes(address)]));
