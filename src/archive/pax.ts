import { invalid } from '../common/index.ts';

/** Keys and values as byte strings; a key may come more than once (GNU sparse 0.0), so the order is kept. */
export type PaxRecord = readonly [key: string, value: string];

/** Records `LENGTH KEY=VALUE\n` (POSIX pax, "pax Extended Header"). Throws invalid. */
export function parsePax(bytes: Buffer): PaxRecord[] {
  const records: PaxRecord[] = [];
  for (let at = 0; at < bytes.length; ) {
    const space = bytes.indexOf(0x20, at);
    const digits = space < 0 ? '' : bytes.toString('latin1', at, space);
    const length = /^\d{1,8}$/.test(digits) ? Number(digits) : 0;
    const end = at + length;
    const equals = bytes.indexOf(0x3d, space + 1);
    if (length === 0 || end > bytes.length || bytes[end - 1] !== 0x0a || equals < 0 || equals >= end)
      throw invalid('archive is damaged: a PAX record is malformed');
    records.push([bytes.toString('latin1', space + 1, equals), bytes.toString('latin1', equals + 1, end - 1)]);
    at = end;
  }
  return records;
}

/** One record; its length counts its own digits. */
function encodeRecord(key: string, value: string): string {
  const rest = key.length + value.length + 3;
  let length = rest + String(rest).length;
  if (String(length).length !== String(rest).length) length = rest + String(length).length;
  return `${length} ${key}=${value}\n`;
}

export const encodePax = (records: readonly PaxRecord[]): Buffer =>
  Buffer.from(records.map(([key, value]) => encodeRecord(key, value)).join(''), 'latin1');
