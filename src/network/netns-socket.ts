import { check, inNetworkNamespace, libc } from '../sys/index.ts';
import { type Address, addressBytes } from './address.ts';

/** Sockets inside a container's network namespace, as descriptors that node:dgram and node:net take over. */
const AF_INET = 2;
const AF_INET6 = 10;
const SOCK_STREAM = 1;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2000000;
const SOCK_NONBLOCK = 0o4000;
/** errno.h; Node has no name for it. */
const EINPROGRESS = 115;

const socket = libc.func('int socket(int, int, int)');
const bind = libc.func('int bind(int, const void *, unsigned int)');
const listen = libc.func('int listen(int, int)');
const connect = libc.func('int connect(int, const void *, unsigned int)');
const getsockname = libc.func('int getsockname(int, void *, void *)');
const closeFd = libc.func('int close(int)');

function socketAddress(address: Address, port: number): Buffer {
  const bytes = Buffer.alloc(address.family === 4 ? 16 : 28);
  bytes.writeUInt16LE(address.family === 4 ? AF_INET : AF_INET6, 0);
  bytes.writeUInt16BE(port, 2);
  addressBytes(address).copy(bytes, address.family === 4 ? 4 : 8);
  return bytes;
}

function inside<T>(netnsPath: string | undefined, body: () => T): T {
  return netnsPath === undefined ? body() : inNetworkNamespace(netnsPath, body);
}

function make(kind: 'udp' | 'tcp', address: Address): number {
  const type = (kind === 'udp' ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC | SOCK_NONBLOCK;
  return check(socket(address.family === 4 ? AF_INET : AF_INET6, type, 0), 'socket');
}

/** A bound UDP or listening TCP socket. Port 0 takes a free one. */
export function openServerSocket(
  netnsPath: string,
  kind: 'udp' | 'tcp',
  address: Address,
  port: number,
): { fd: number; port: number } {
  return inside(netnsPath, () => {
    const fd = make(kind, address);
    try {
      const where = socketAddress(address, port);
      check(bind(fd, where, where.length), 'bind');
      if (kind === 'tcp') check(listen(fd, 128), 'listen');
      const length = Buffer.from([where.length, 0, 0, 0]);
      check(getsockname(fd, where, length), 'getsockname');
      return { fd, port: where.readUInt16BE(2) };
    } catch (error) {
      closeFd(fd);
      throw error;
    }
  });
}

/** An unbound UDP socket: node:dgram has no notion of one that the kernel has connected, so the peer is named with each message. */
export function openUdpClient(netnsPath: string | undefined, family: 4 | 6): number {
  return inside(netnsPath, () => make('udp', { family, value: 0n }));
}

/** A TCP socket on its way to a peer; it may still be connecting. */
export function openTcpClient(netnsPath: string | undefined, address: Address, port: number): number {
  return inside(netnsPath, () => {
    const fd = make('tcp', address);
    try {
      const where = socketAddress(address, port);
      check(connect(fd, where, where.length), 'connect');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).errno === -EINPROGRESS) return fd;
      closeFd(fd);
      throw error;
    }
    return fd;
  });
}
