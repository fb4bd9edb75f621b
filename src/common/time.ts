import { invalid } from './errors.ts';

const UNITS: Record<string, number> = { ns: 1, us: 1e3, µs: 1e3, μs: 1e3, ms: 1e6, s: 1e9, m: 60e9, h: 3600e9 };

/** Parses a Go duration (`1h2m3.5s`, `-1.5h`, `0`) to nanoseconds; errors are Go's (time.ParseDuration). */
export function parseDurationNs(text: string): number {
  const fail = (why: string) => invalid(`time: ${why} ${JSON.stringify(text)}`);
  let rest = text.replace(/^[+-]/, '');
  if (rest === '0') return 0;
  if (rest === '') throw fail('invalid duration');
  let total = 0;
  while (rest !== '') {
    const [whole, number = '', unit = ''] = /^(\d+\.?\d*|\.\d+)([^\d.]*)/.exec(rest) ?? [];
    if (whole === undefined) throw fail('invalid duration');
    if (unit === '') throw fail('missing unit in duration');
    const scale = UNITS[unit];
    if (scale === undefined) throw fail(`unknown unit ${JSON.stringify(unit)} in duration`);
    total += Number(number) * scale;
    rest = rest.slice(whole.length);
  }
  return text.startsWith('-') ? -total : total;
}

/** RFC 3339 with up to nine fractional digits, trailing zeros dropped, as Go's RFC3339Nano. */
export function rfc3339Nano(ns: bigint): string {
  const seconds = new Date(Number(ns / 1_000_000_000n) * 1000).toISOString().slice(0, 19);
  const fraction = (ns % 1_000_000_000n).toString().padStart(9, '0').replace(/0+$/, '');
  return `${seconds}${fraction === '' ? '' : `.${fraction}`}Z`;
}

/** Now, in nanoseconds since the epoch, strictly increasing within this process. */
export const nowNs: () => bigint = (() => {
  const base = BigInt(Date.now()) * 1_000_000n - process.hrtime.bigint();
  let last = 0n;
  return () => {
    const wall = BigInt(Date.now()) * 1_000_000n;
    let now = base + process.hrtime.bigint();
    // The wall clock may be stepped; follow it when it has moved by more than 10 ms.
    if (now - wall > 10_000_000n || wall - now > 10_000_000n) now = wall;
    last = now > last ? now : last + 1n;
    return last;
  };
})();

/** The current time as Docker prints it in JSON. */
export const nowText = (): string => rfc3339Nano(nowNs());

/** Go's zero time, which Docker shows for "never". */
export const ZERO_TIME = '0001-01-01T00:00:00Z';

/** Parses an RFC 3339 text to nanoseconds since the epoch. */
export function parseRfc3339Ns(text: string): bigint {
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/.exec(text);
  const ms = match ? Date.parse(`${match[1]}${match[3]}`) : Number.NaN;
  if (!match || Number.isNaN(ms)) throw invalid(`invalid timestamp ${JSON.stringify(text)}`);
  return BigInt(ms) * 1_000_000n + BigInt((match[2] ?? '').padEnd(9, '0'));
}

/**
 * The API's `since`/`until` values: Unix seconds with an optional fraction, RFC 3339 (with or without zone, date only),
 * or a Go duration before now. Returns nanoseconds since the epoch (moby api/types/time).
 */
export function parseTimestampNs(text: string, now: bigint = nowNs()): bigint {
  const unix = /^(-?\d+)(?:\.(\d{1,9}))?$/.exec(text);
  if (unix) return BigInt(unix[1]!) * 1_000_000_000n + BigInt((unix[2] ?? '').padEnd(9, '0'));
  if (/^\d{4}-\d\d-\d\d/.test(text)) {
    let full = text;
    if (/^\d{4}-\d\d-\d\d$/.test(full)) full += 'T00:00:00';
    if (/T\d\d$/.test(full)) full += ':00';
    if (/T\d\d:\d\d$/.test(full)) full += ':00';
    if (!/(Z|[+-]\d\d:\d\d)$/.test(full)) full += 'Z';
    return parseRfc3339Ns(full);
  }
  return now - BigInt(Math.round(parseDurationNs(text)));
}

/** Nanoseconds as Go's `Duration.String` writes them: `1m30s`, `1.5ms`, `0s`. */
export function durationText(ns: number): string {
  if (ns < 0) return `-${durationText(-ns)}`;
  if (ns === 0) return '0s';
  if (ns < 1e3) return `${ns}ns`;
  if (ns < 1e6) return `${ns / 1e3}µs`;
  if (ns < 1e9) return `${ns / 1e6}ms`;
  const hours = Math.floor(ns / 3600e9);
  const minutes = Math.floor(ns / 60e9) % 60;
  const seconds = `${(ns % 60e9) / 1e9}s`;
  if (hours > 0) return `${hours}h${minutes}m${seconds}`;
  return minutes > 0 ? `${minutes}m${seconds}` : seconds;
}
