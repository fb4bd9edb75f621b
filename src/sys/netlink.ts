import { endianness } from 'node:os';
import { check, libc, sysError } from './libc.ts';

/**
 * Netlink (RFC 3549; linux/netlink.h) over a raw socket, synchronously: the kernel answers within sendto, so no call waits. Numbers are
 * in the machine's byte order; every machine Node runs on is little-endian but s390x, which is refused.
 */
if (endianness() !== 'LE') throw new Error('netlink: big-endian machines are not supported');

const AF_NETLINK = 16;
const SOCK_RAW = 3;
const SOCK_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SO_RCVBUF = 8;
const SOL_NETLINK = 270;
const NETLINK_EXT_ACK = 11;
const NETLINK_GET_STRICT_CHK = 12;

export const NETLINK_ROUTE = 0;
export const NETLINK_NETFILTER = 12;
export const NLM_F_REQUEST = 1;
export const NLM_F_ACK = 4;
export const NLM_F_DUMP = 0x300;
export const NLM_F_REPLACE = 0x100;
export const NLM_F_EXCL = 0x200;
export const NLM_F_CREATE = 0x400;
const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;
const NLM_F_CAPPED = 0x100;
const NLM_F_ACK_TLVS = 0x200;
const NLMSGERR_ATTR_MSG = 1;
const NLA_F_NESTED = 0x8000;
const NLA_TYPE_MASK = 0x3fff;
const HEADER = 16;

const socket = libc.func('int socket(int, int, int)');
const closeFd = libc.func('int close(int)');
const setsockopt = libc.func('int setsockopt(int, int, int, const void *, unsigned int)');
const sendto = libc.func('intptr_t sendto(int, const void *, size_t, int, const void *, unsigned int)');
const recv = libc.func('intptr_t recv(int, void *, size_t, int)');

/** An attribute: its type, and bytes or attributes nested in it. */
export type NetlinkAttribute = readonly [type: number, value: Buffer | readonly NetlinkAttribute[]];

export interface NetlinkMessage {
  type: number;
  /** Added to NLM_F_REQUEST. */
  flags: number;
  /** The family's fixed header (ifinfomsg, ifaddrmsg …). */
  header: Buffer;
  attributes: readonly NetlinkAttribute[];
}

export interface NetlinkAnswer {
  type: number;
  /** After the message header. */
  body: Buffer;
}

export const u8 = (value: number): Buffer => Buffer.from([value]);
export function u16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(value);
  return bytes;
}
export function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value >>> 0);
  return bytes;
}
/** A NUL-terminated string. */
export const zstr = (text: string): Buffer => Buffer.from(`${text}\0`);

const align = (length: number): number => (length + 3) & ~3;

function encodeAttributes(attributes: readonly NetlinkAttribute[]): Buffer {
  const parts: Buffer[] = [];
  for (const [type, value] of attributes) {
    const nested = !Buffer.isBuffer(value);
    const payload = nested ? encodeAttributes(value) : value;
    const bytes = Buffer.alloc(align(4 + payload.length));
    bytes.writeUInt16LE(4 + payload.length, 0);
    bytes.writeUInt16LE(nested ? type | NLA_F_NESTED : type, 2);
    payload.copy(bytes, 4);
    parts.push(bytes);
  }
  return Buffer.concat(parts);
}

/** A fixed header followed by attributes, as it stands inside an attribute (veth's peer). */
export const embedded = (header: Buffer, attributes: readonly NetlinkAttribute[]): Buffer =>
  Buffer.concat([header, encodeAttributes(attributes)]);

/** Attributes by type; of a repeated one the last. Truncated bytes end the list. */
export function decodeAttributes(bytes: Buffer): Map<number, Buffer> {
  const found = new Map<number, Buffer>();
  for (let at = 0; at + 4 <= bytes.length; ) {
    const length = bytes.readUInt16LE(at);
    if (length < 4 || at + length > bytes.length) break;
    found.set(bytes.readUInt16LE(at + 2) & NLA_TYPE_MASK, bytes.subarray(at + 4, at + length));
    at += align(length);
  }
  return found;
}

/** struct sockaddr_nl of the kernel: port 0. */
const KERNEL = Buffer.alloc(12);
KERNEL.writeUInt16LE(AF_NETLINK, 0);

/** One socket; it belongs to the network namespace that the thread was in when it was opened. */
export class NetlinkSocket {
  readonly #fd: number;
  readonly #buffer = Buffer.alloc(65536);
  #sequence = 0;

  constructor(protocol: number = NETLINK_ROUTE) {
    this.#fd = check(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol), 'socket');
    setsockopt(this.#fd, SOL_NETLINK, NETLINK_EXT_ACK, u32(1), 4);
    setsockopt(this.#fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, u32(1), 4);
    setsockopt(this.#fd, SOL_SOCKET, SO_RCVBUF, u32(1 << 20), 4);
  }

  #send(messages: readonly NetlinkMessage[], flags: number): number {
    const first = this.#sequence + 1;
    const parts = messages.map((message) => this.#encode(message, flags));
    const all = Buffer.concat(parts);
    check(sendto(this.#fd, all, all.length, 0, KERNEL, KERNEL.length), 'sendto');
    return first;
  }

  #encode(message: NetlinkMessage, flags: number): Buffer {
    const attributes = encodeAttributes(message.attributes);
    const fixed = align(message.header.length);
    const bytes = Buffer.alloc(HEADER + fixed + attributes.length);
    bytes.writeUInt32LE(bytes.length, 0);
    bytes.writeUInt16LE(message.type, 4);
    bytes.writeUInt16LE(NLM_F_REQUEST | flags | message.flags, 6);
    bytes.writeUInt32LE(++this.#sequence, 8);
    message.header.copy(bytes, HEADER);
    attributes.copy(bytes, HEADER + fixed);
    return bytes;
  }

  *#receive(): Generator<{ type: number; flags: number; sequence: number; body: Buffer }> {
    const size = check(recv(this.#fd, this.#buffer, this.#buffer.length, 0), 'recv');
    const bytes = Buffer.from(this.#buffer.subarray(0, size));
    for (let at = 0; at + HEADER <= size; ) {
      const length = bytes.readUInt32LE(at);
      if (length < HEADER || at + length > size) break;
      yield {
        type: bytes.readUInt16LE(at + 4),
        flags: bytes.readUInt16LE(at + 6),
        sequence: bytes.readUInt32LE(at + 8),
        body: bytes.subarray(at + HEADER, at + length),
      };
      at += align(length);
    }
  }

  /** Sends changes in one go; throws the first error with `what` (by index) as the name of the call. All messages are tried. */
  change(messages: readonly NetlinkMessage[], what: (index: number) => string): void {
    if (messages.length === 0) return;
    const first = this.#send(messages, NLM_F_ACK);
    let failure: Error | undefined;
    for (let seen = 0; seen < messages.length; )
      for (const answer of this.#receive()) {
        const index = answer.sequence - first;
        if (answer.type !== NLMSG_ERROR || index < 0 || index >= messages.length) continue;
        seen++;
        const code = answer.body.readInt32LE(0);
        if (code === 0 || failure !== undefined) continue;
        failure = sysError(-code, what(index));
        const words = extendedMessage(answer.flags, answer.body);
        if (words !== undefined) failure.message += ` (${words})`;
      }
    if (failure !== undefined) throw failure;
  }

  /**
   * One change made on a worker thread by a socket of its own, in this process's namespace, for changes the kernel takes long over.
   * Resolves with the errno, 0 for success.
   */
  async changeOnWorker(message: NetlinkMessage): Promise<number> {
    const other = new NetlinkSocket();
    try {
      return await other.#changeSlowly(message);
    } finally {
      other.close();
    }
  }

  async #changeSlowly(message: NetlinkMessage): Promise<number> {
    const bytes = this.#encode(message, NLM_F_ACK);
    await new Promise<void>((resolve, reject) =>
      sendto.async(this.#fd, bytes, bytes.length, 0, KERNEL, KERNEL.length, (error: Error | null) =>
        error ? reject(error) : resolve(),
      ),
    );
    for (;;)
      for (const answer of this.#receive())
        if (answer.type === NLMSG_ERROR && answer.sequence === this.#sequence) return -answer.body.readInt32LE(0);
  }

  /** One question with one answer. */
  ask(message: NetlinkMessage, what: string): NetlinkAnswer {
    const sequence = this.#send([message], 0);
    for (;;)
      for (const answer of this.#receive()) {
        if (answer.sequence !== sequence) continue;
        if (answer.type === NLMSG_ERROR) throw sysError(-answer.body.readInt32LE(0), what);
        return { type: answer.type, body: answer.body };
      }
  }

  /** All objects of a kind. */
  dump(message: NetlinkMessage, what: string): NetlinkAnswer[] {
    const sequence = this.#send([message], NLM_F_DUMP);
    const found: NetlinkAnswer[] = [];
    for (;;)
      for (const answer of this.#receive()) {
        if (answer.sequence !== sequence) continue;
        if (answer.type === NLMSG_DONE) return found;
        if (answer.type === NLMSG_ERROR) throw sysError(-answer.body.readInt32LE(0), what);
        found.push({ type: answer.type, body: answer.body });
      }
  }

  close(): void {
    closeFd(this.#fd);
  }
}

/** The kernel's own words about an error (NETLINK_EXT_ACK). */
function extendedMessage(flags: number, body: Buffer): string | undefined {
  if ((flags & NLM_F_ACK_TLVS) === 0) return undefined;
  const request = (flags & NLM_F_CAPPED) !== 0 ? HEADER : body.readUInt32LE(4);
  const words = decodeAttributes(body.subarray(4 + align(request))).get(NLMSGERR_ATTR_MSG);
  return words?.toString('utf8').replace(/\0.*$/s, '');
}
