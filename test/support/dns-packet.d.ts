/** The part of dns-packet that the tests use; the package has no types of its own. */
declare module 'dns-packet' {
  export interface Question {
    type: string;
    name: string;
  }
  export interface Answer {
    type: string;
    name: string;
    ttl?: number;
    data?: unknown;
    udpPayloadSize?: number;
    extendedRcode?: number;
    ednsVersion?: number;
    flags?: number;
    options?: unknown[];
  }
  export interface Packet {
    type?: 'query' | 'response';
    id?: number;
    flags?: number;
    questions?: Question[];
    answers?: Answer[];
    additionals?: Answer[];
  }
  export interface DecodedPacket extends Packet {
    rcode: string;
    flag_tc: boolean;
  }
  export const RECURSION_DESIRED: number;
  export const RECURSION_AVAILABLE: number;
  export const TRUNCATED_RESPONSE: number;
  export function encode(packet: Packet): Buffer;
  export function decode(message: Buffer): DecodedPacket;
}
