import { invalid } from './errors.ts';

const UNITS = ['b', 'k', 'm', 'g', 't', 'p'];

/** Parses `512`, `64m`, `1.5GB`, `2GiB` to bytes, powers of 1024 (go-units RAMInBytes). */
export const parseBytes = (text: string): number => parseSize(text, 1024);

/** The same texts as powers of 1000 (go-units FromHumanSize), which log options are. */
export const parseDecimalBytes = (text: string): number => parseSize(text, 1000);

function parseSize(text: string, base: number): number {
  const match = /^(\d+(?:\.\d+)?) ?([kKmMgGtTpP])?(?:i?[bB])?$/.exec(text.trim());
  if (!match) {
    const suffix = /^\d+(?:\.\d+)? ?(.*)$/.exec(text.trim());
    throw invalid(suffix === null ? `invalid size: '${text}'` : `invalid suffix: '${suffix[1]}'`);
  }
  return Math.floor(Number(match[1]) * base ** UNITS.indexOf((match[2] ?? 'b').toLowerCase()));
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
