import { readFileSync } from 'node:fs';
import koffi from 'koffi';
import { libc } from '../sys/index.ts';
import { type Address, addressBytes, formatAddress, parseAddress } from './address.ts';

export type Protocol = 'tcp' | 'udp' | 'sctp';
export type HoldResult = { fd: number } | { code: 'in-use' | 'no-address' | 'unsupported' | 'denied' | 'invalid' };

const AF_INET = 2;
const AF_INET6 = 10;
const SOCK_CLOEXEC = 0o2000000;
const KINDS: Record<Protocol, { type: number; protocol: number }> = {
  tcp: { type: 1, protocol: 6 },
  udp: { type: 2, protocol: 17 },
  sctp: { type: 1, protocol: 132 },
};
const EOPNOTSUPP = 95;
const SOL_SOCKET = 1;
const SO_REUSEADDR = 2;
const IPPROTO_IPV6 = 41;
const IPV6_V6ONLY = 26;

const socket = libc.func('int socket(int, int, int)');
const setsockopt = libc.func('int setsockopt(int, int, int, const void *, unsigned int)');
const bind = libc.func('int bind(int, const void *, unsigned int)');
const listen = libc.func('int listen(int, int)');
const closeFd = libc.func('int close(int)');

const one = Buffer.from([1, 0, 0, 0]);
const zero = Buffer.alloc(4);

function socketAddress(address: Address, port: number): Buffer {
  const bytes = Buffer.alloc(address.family === 4 ? 16 : 28);
  bytes.writeUInt16LE(address.family === 4 ? AF_INET : AF_INET6, 0);
  bytes.writeUInt16BE(port, 2);
  addressBytes(address).copy(bytes, address.family === 4 ? 4 : 8);
  return bytes;
}

/**
 * Takes a port on the machine by a bound socket; fails if another program was first. It does not listen yet: a connection that comes before
 * nftables leads to the container is refused, not left waiting for an answer that nobody gives. Afterwards no packet reaches it.
 */
export function holdPort(protocol: Protocol, address: Address, port: number): HoldResult {
  // As every server does: else a connection of the past in TIME_WAIT would count as a conflict. UDP must not share.
  return bound(protocol, address, port, protocol !== 'udp');
}

/** Takes a UDP port at one address beside `general`, a socket that has it at all of them. Nobody else shares with either afterwards. */
export function holdBeside(general: number, address: Address, port: number): HoldResult {
  share(general, true);
  const held = bound('udp', address, port, true);
  share(general, false);
  if ('fd' in held) share(held.fd, false);
  return held;
}

const share = (fd: number, on: boolean): number => Number(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, on ? one : zero, 4));

function bound(protocol: Protocol, address: Address, port: number, shared: boolean): HoldResult {
  const kind = KINDS[protocol];
  const fd = Number(socket(address.family === 4 ? AF_INET : AF_INET6, kind.type | SOCK_CLOEXEC, kind.protocol));
  if (fd < 0) return { code: 'unsupported' };
  if (address.family === 6) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, one, 4);
  if (shared) share(fd, true);
  const where = socketAddress(address, port);
  if (Number(bind(fd, where, where.length)) === 0) return { fd };
  const errno = koffi.errno();
  closeFd(fd);
  if (errno === 99) return { code: 'no-address' };
  if (errno === 22) return { code: 'invalid' };
  if (errno === 1 || errno === 13) return { code: 'denied' };
  return { code: errno === 98 ? 'in-use' : 'unsupported' };
}

/** The second half, when the rules are there: from now on no other program's bind succeeds. False: one was quicker. UDP has no such half. */
export const guardPort = (fd: number): boolean => Number(listen(fd, 1)) === 0 || koffi.errno() === EOPNOTSUPP;

export const releasePort = (fd: number): void => {
  closeFd(fd);
};

/** The kernel's ephemeral ports, from which Docker too takes free ones (net.ipv4.ip_local_port_range). */
export function ephemeralRange(): [first: number, last: number] {
  const match = /^(\d+)\s+(\d+)/.exec(readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8'));
  return match ? [Number(match[1]), Number(match[2])] : [32768, 60999];
}

/** `0.0.0.0:80`, `[::]:80`. */
export function hostPort(ip: string, port: number): string {
  const address = parseAddress(ip);
  return address?.family === 6 ? `[${formatAddress(address)}]:${port}` : `${ip}:${port}`;
}
