import { invalid } from '../common/index.ts';
import type { FileTime } from '../sys/index.ts';

/**
 * A number of a tar header: octal digits with spaces or NULs around (POSIX pax, "ustar Interchange Format"), or base-256 when the
 * first byte's high bit is set (GNU tar manual, "Basic Tar Format"; two's complement). Throws invalid.
 */
export function readNumber(block: Buffer, offset: number, length: number): number {
  const first = block[offset]!;
  if ((first & 0x80) !== 0) return readBase256(block, offset, length);
  let at = offset;
  const end = offset + length;
  while (at < end && (block[at] === 0x20 || block[at] === 0)) at++;
  let value = 0;
  for (; at < end; at++) {
    const digit = block[at]! - 0x30;
    if (digit < 0 || digit > 7) break;
    value = value * 8 + digit;
  }
  for (; at < end; at++)
    if (block[at] !== 0x20 && block[at] !== 0)
      throw invalid('archive is damaged: a header holds a number that is none');
  return value;
}

function readBase256(block: Buffer, offset: number, length: number): number {
  const negative = (block[offset]! & 0x40) !== 0;
  let value = 0n;
  for (let index = 0; index < length; index++) {
    let byte = block[offset + index]!;
    if (index === 0) byte &= 0x7f;
    if (index === 0 && negative) byte |= 0x80;
    value = (value << 8n) | BigInt(byte);
  }
  if (negative) value = BigInt.asIntN(length * 8, value);
  if (value > BigInt(Number.MAX_SAFE_INTEGER) || value < BigInt(Number.MIN_SAFE_INTEGER))
    throw invalid('archive is damaged: a header holds a number out of range');
  return Number(value);
}

/** Writes octal digits with a closing NUL; false if the value does not fit. */
export function writeOctal(block: Buffer, offset: number, length: number, value: number): boolean {
  const digits = value.toString(8);
  if (value < 0 || digits.length > length - 1) return false;
  block.write(digits.padStart(length - 1, '0'), offset, 'latin1');
  return true;
}

/** A non-negative decimal of a PAX record. Throws invalid. */
export function parseDecimal(text: string): number {
  if (!/^\d{1,16}$/.test(text) || !Number.isSafeInteger(Number(text)))
    throw invalid(`archive is damaged: ${JSON.stringify(text.slice(0, 40))} is no number`);
  return Number(text);
}

/** A PAX time: decimal seconds, maybe negative, with any fraction (POSIX pax, "pax Extended Header"); beyond nanoseconds is cut. */
export function parsePaxTime(text: string): FileTime {
  const match = /^(-?)(\d{1,15})(?:\.(\d*))?$/.exec(text);
  if (!match) throw invalid(`archive is damaged: ${JSON.stringify(text.slice(0, 40))} is no time`);
  const seconds = Number(match[2]);
  const nanoseconds = Number((match[3] ?? '').slice(0, 9).padEnd(9, '0'));
  if (match[1] === '') return { seconds, nanoseconds };
  return nanoseconds === 0
    ? { seconds: 0 - seconds, nanoseconds: 0 }
    : { seconds: -seconds - 1, nanoseconds: 1e9 - nanoseconds };
}

export function formatPaxTime(time: FileTime): string {
  const negative = time.seconds < 0;
  const borrowed = negative && time.nanoseconds > 0;
  const seconds = Math.abs(borrowed ? time.seconds + 1 : time.seconds);
  const nanoseconds = borrowed ? 1e9 - time.nanoseconds : time.nanoseconds;
  const fraction = nanoseconds === 0 ? '' : `.${String(nanoseconds).padStart(9, '0').replace(/0+$/, '')}`;
  return `${negative ? '-' : ''}${seconds}${fraction}`;
}
