import koffi from 'koffi';
import { libc } from '../sys/index.ts';

/** struct mmsghdr, struct iovec and struct sockaddr_in of 64-bit Linux; `sys` refuses big-endian machines. */
const HEADER_SIZE = 64;
const NAME_AT = 0;
const NAME_LENGTH_AT = 8;
const IOV_AT = 16;
const IOV_COUNT_AT = 24;
const RECEIVED_AT = 56;
const IOV_SIZE = 16;
const IOV_LENGTH_AT = 8;
const NAME_SIZE = 16;
const MSG_DONTWAIT = 0x40;

const recvmmsg = libc.func('int recvmmsg(int, void *, unsigned int, int, void *)');
const sendmmsg = libc.func('int sendmmsg(int, void *, unsigned int, int)');

/** Datagrams taken at once; also what a slow reader makes wait before others have their turn. */
const SLOTS = 32;
/** Longer messages are cut; a DNS query fits by far, and so does what EDNS lets a server answer (RFC 6891 6.2.5). */
const SLOT_SIZE = 4096;

/**
 * Takes datagrams from IPv4 sockets and answers them in batches, in two system calls and without memory of their own. One for all sockets
 * of a process: a batch is answered before the next is taken.
 */
export class DatagramBatch {
  readonly #headers = Buffer.alloc(SLOTS * HEADER_SIZE);
  readonly #iovs = Buffer.alloc(SLOTS * IOV_SIZE);
  readonly #names = Buffer.alloc(SLOTS * NAME_SIZE);
  readonly #data = Buffer.alloc(SLOTS * SLOT_SIZE);

  constructor() {
    const [iovs, names, data] = [this.#iovs, this.#names, this.#data].map((buffer) => koffi.address(buffer));
    for (let slot = 0; slot < SLOTS; slot++) {
      const header = slot * HEADER_SIZE;
      this.#headers.writeBigUInt64LE(names! + BigInt(slot * NAME_SIZE), header + NAME_AT);
      this.#headers.writeUInt32LE(NAME_SIZE, header + NAME_LENGTH_AT);
      this.#headers.writeBigUInt64LE(iovs! + BigInt(slot * IOV_SIZE), header + IOV_AT);
      this.#headers.writeUInt32LE(1, header + IOV_COUNT_AT);
      this.#iovs.writeBigUInt64LE(data! + BigInt(slot * SLOT_SIZE), slot * IOV_SIZE);
      this.#setLength(slot, SLOT_SIZE);
    }
  }

  #setLength(slot: number, length: number): void {
    this.#iovs.writeUInt32LE(length, slot * IOV_SIZE + IOV_LENGTH_AT);
  }

  /**
   * Takes what waits at a socket, at most a batch, and gives each message to `answer`, which says what to send back, or undefined
   * for nothing. The message is overwritten afterwards. Answers how many there were.
   */
  serve(fd: number, answer: (message: Buffer, slot: number) => Buffer | undefined): number {
    const count = Number(recvmmsg(fd, this.#headers, SLOTS, MSG_DONTWAIT, null));
    let first = 0;
    for (let slot = 0; slot < count; slot++) {
      const at = slot * SLOT_SIZE;
      const length = this.#headers.readUInt32LE(slot * HEADER_SIZE + RECEIVED_AT);
      const bytes = answer(this.#data.subarray(at, at + length), slot);
      if (bytes === undefined || bytes.length > SLOT_SIZE) {
        this.#send(fd, first, slot);
        first = slot + 1;
        continue;
      }
      bytes.copy(this.#data, at);
      this.#setLength(slot, bytes.length);
    }
    if (count > 0) this.#send(fd, first, count);
    return Math.max(count, 0);
  }

  /** What cannot be sent is lost, as datagrams may be: a client asks again. */
  #send(fd: number, first: number, end: number): void {
    for (let next = first; next < end; ) {
      const sent = Number(sendmmsg(fd, this.#headers.subarray(next * HEADER_SIZE), end - next, MSG_DONTWAIT));
      next += sent > 0 ? sent : 1;
    }
    for (let slot = first; slot < end; slot++) this.#setLength(slot, SLOT_SIZE);
  }

  /** Whom a message of the batch came from. */
  peer(slot: number): { address: string; port: number } {
    const at = slot * NAME_SIZE;
    return {
      address: this.#names.subarray(at + 4, at + 8).join('.'),
      port: this.#names.readUInt16BE(at + 2),
    };
  }
}
