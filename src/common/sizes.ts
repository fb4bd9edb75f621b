import { invalid } from './errors.ts';

const UNITS = ['b', 'k', 'm', 'g', 't', 'p'];

/** Parses `512`, `64m`, `1.5GB`, `2GiB` to bytes, powers of 1024 (go-units RAMInBytes). */
export const parseBytes = (text: string): number => parseSize(text, 1024);

/** The same texts as powers of 1000 (go-units FromHumanSize), which log options are. */
export const parseDecimalBytes = (text: string): number => parseSize(text, 1000);

const FLOAT = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;

/** Number and suffix part at the last digit, full stop or blank; the messages are Go's. */
function parseSize(text: string, base: number): number {
  const cut = /^(.*[\d. ])/s.exec(text)?.[1]?.length;
  if (cut === undefined) throw invalid(`invalid size: '${text}'`);
  const number = text[cut - 1] === ' ' ? text.slice(0, cut - 1) : text.slice(0, cut);
  if (!FLOAT.test(number)) throw invalid(`strconv.ParseFloat: parsing ${JSON.stringify(number)}: invalid syntax`);
  const size = Number(number);
  if (size < 0) throw invalid(`invalid size: '${text}'`);
  const suffix = text.slice(cut).toLowerCase();
  if (!/^(?:b|[kmgtp](?:i?b)?)?$/.test(suffix))
    throw invalid(`invalid suffix: '${suffix.length > 3 ? text.slice(cut) : suffix}'`);
  return Math.floor(size * base ** UNITS.indexOf(suffix[0] ?? 'b'));
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
