import { invalid } from './errors.ts';

const FACTORS: Record<string, number> = { '': 1, b: 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40, p: 2 ** 50 };

/** Parses `512`, `64m`, `1.5GB`, `2GiB` to bytes, powers of 1024 (go-units RAMInBytes). */
export function parseBytes(text: string): number {
  const match = /^(\d+(?:\.\d+)?) ?([kKmMgGtTpP])?(?:i?[bB])?$/.exec(text.trim());
  if (!match) {
    const suffix = /^\d+(?:\.\d+)? ?(.*)$/.exec(text.trim());
    throw invalid(suffix === null ? `invalid size: '${text}'` : `invalid suffix: '${suffix[1]}'`);
  }
  return Math.floor(Number(match[1]) * FACTORS[(match[2] ?? '').toLowerCase()]!);
}

const scaled = (bytes: number, base: number, units: readonly string[], digits: number): string => {
  let value = bytes;
  let unit = 0;
  while (value >= base && unit < units.length - 1) {
    value /= base;
    unit++;
  }
  return `${Number.parseFloat(value.toPrecision(digits))}${units[unit]}`;
};

/** `12.3MB`: decimal, at most `digits` significant digits (go-units HumanSizeWithPrecision; Docker shows 3 or 4). */
export const humanSize = (bytes: number, digits = 4): string =>
  scaled(bytes, 1000, ['B', 'kB', 'MB', 'GB', 'TB', 'PB', 'EB'], digits);

/** `12.3MiB`: binary (go-units BytesSize). */
export const humanBinarySize = (bytes: number): string =>
  scaled(bytes, 1024, ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB'], 4);
