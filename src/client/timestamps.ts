import { nowNs, parseTimestampNs } from '../common/index.ts';

/**
 * `since` and `until` as the API takes them: seconds with nine digits. A duration (`10m`) counts back from now, on this side's clock;
 * a time without a zone is local (moby api/types/time GetTimestamp). Nothing stays nothing.
 */
export function apiTimestamp(text: string | undefined): string | undefined {
  if (text === undefined || text === '') return undefined;
  if (/^-?\d+(\.\d+)?$/.test(text)) return text;
  const zoned =
    /^\d{4}-\d\d-\d\d/.test(text) && !/(Z|[+-]\d\d:\d\d)$/.test(text) ? `${padded(text)}${localZone(text)}` : text;
  const ns = timestampNs(zoned, text);
  const digits = (ns % 1_000_000_000n).toString().padStart(9, '0');
  return `${ns / 1_000_000_000n}.${digits}`;
}

function timestampNs(zoned: string, given: string): bigint {
  try {
    return parseTimestampNs(zoned, nowNs());
  } catch (cause) {
    throw new Error(`failed to parse value as time or duration: ${JSON.stringify(given)}`, { cause });
  }
}

const padded = (text: string): string =>
  text + ['', 'T00:00:00', ':00:00', ':00'][({ 10: 1, 13: 2, 16: 3 } as Record<number, number>)[text.length] ?? 0]!;
function localZone(text: string): string {
  const minutes = -new Date(padded(text)).getTimezoneOffset();
  const two = (value: number): string => String(Math.trunc(value)).padStart(2, '0');
  return `${minutes < 0 ? '-' : '+'}${two(Math.abs(minutes) / 60)}:${two(Math.abs(minutes) % 60)}`;
}
