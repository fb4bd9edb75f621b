import { invalid } from '../common/index.ts';
import { readNumber } from './numbers.ts';

export const BLOCK = 512;

/** The fields of one 512-byte header as they stand, before extensions are laid over them. Strings are byte strings. */
export interface RawHeader {
  name: string;
  mode: number;
  uid: number;
  gid: number;
  size: number;
  mtime: number;
  type: string;
  linkName: string;
  userName: string;
  groupName: string;
  deviceMajor: number;
  deviceMinor: number;
  block: Buffer;
}

const text = (block: Buffer, offset: number, length: number): string => {
  const end = block.indexOf(0, offset);
  return block.toString('latin1', offset, end < 0 || end > offset + length ? offset + length : end);
};

const ZEROS = Buffer.alloc(BLOCK);
export const isZeroBlock = (block: Buffer): boolean => block[0] === 0 && block.equals(ZEROS);

/** Bytes 148–155 count as spaces; old writers summed signed bytes. */
function checksumHolds(block: Buffer): boolean {
  const wanted = readNumber(block, 148, 8);
  let unsigned = 256;
  let high = 0;
  for (let at = 0; at < BLOCK; at++) {
    if (at === 148) at = 156;
    const byte = block[at]!;
    unsigned += byte;
    if (byte > 127) high++;
  }
  return wanted === unsigned || wanted === unsigned - 256 * high;
}

/** Reads v7, ustar, GNU and star headers (POSIX pax, "ustar Interchange Format"; GNU tar manual, "Standard"). Throws invalid. */
export function parseHeader(block: Buffer): RawHeader {
  if (!checksumHolds(block)) throw invalid('archive is damaged: a header has a wrong checksum');
  const magic = block.toString('latin1', 257, 263);
  const posix = magic === 'ustar\0';
  const known = posix || magic === 'ustar ';
  const star = posix && block.toString('latin1', 508, 512) === 'tar\0';
  const prefix = posix ? text(block, 345, star ? 131 : 155) : '';
  const name = text(block, 0, 100);
  return {
    name: prefix === '' ? name : `${prefix}/${name}`,
    mode: readNumber(block, 100, 8),
    uid: readNumber(block, 108, 8),
    gid: readNumber(block, 116, 8),
    size: readNumber(block, 124, 12),
    mtime: readNumber(block, 136, 12),
    type: String.fromCharCode(block[156]!),
    linkName: text(block, 157, 100),
    userName: known ? text(block, 265, 32) : '',
    groupName: known ? text(block, 297, 32) : '',
    deviceMajor: known ? readNumber(block, 329, 8) : 0,
    deviceMinor: known ? readNumber(block, 337, 8) : 0,
    block,
  };
}
