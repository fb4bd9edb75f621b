import { notGoBool, parseBytes, parseDurationNs, parseGoBool } from '../common/index.ts';
import type { FlagSpec, FlagType } from './spec.ts';

/** Checks a value against a flag's type; returns it in the form it is kept in. Throws Error with Go's words. */
export function checkValue(type: FlagType, value: string): string {
  switch (type) {
    case 'bool':
      if (parseGoBool(value) === undefined) throw new Error(notGoBool(value));
      return String(parseGoBool(value));
    case 'int':
      return String(goInt(value, -(2n ** 63n), 2n ** 63n - 1n, 'ParseInt'));
    case 'uint':
      return String(goInt(value, 0n, 2n ** 64n - 1n, 'ParseUint'));
    case 'uint16':
      return String(goInt(value, 0n, 65535n, 'ParseUint'));
    case 'bytes':
      return String(parseBytes(value));
    case 'duration':
      return String(parseDurationNs(value));
    case 'decimal':
      return String(nanoCpus(value));
    case 'filter': {
      const cut = value.indexOf('=');
      if (cut < 0) throw new Error('bad format of filter (expected name=value)');
      return `${value.slice(0, cut).trim().toLowerCase()}=${value.slice(cut + 1).trim()}`;
    }
    default:
      return value;
  }
}

function goInt(text: string, min: bigint, max: bigint, parser: string): bigint {
  const syntax = () => new Error(`strconv.${parser}: parsing ${JSON.stringify(text)}: invalid syntax`);
  const pattern =
    parser === 'ParseUint' ? /^(0x[\da-f]+|0o?[0-7]+|0b[01]+|\d+)$/i : /^[+-]?(0x[\da-f]+|0o?[0-7]+|0b[01]+|\d+)$/i;
  if (!pattern.test(text)) throw syntax();
  const digits = text.replace(/^[+-]/, '').replace(/^0(?=[0-7])/, '0o');
  const value = text.startsWith('-') ? -BigInt(digits) : BigInt(digits);
  if (value < min || value > max)
    throw new Error(`strconv.${parser}: parsing ${JSON.stringify(text)}: value out of range`);
  return value;
}

/** `1.5` CPUs as 1500000000 (docker/cli opts.ParseCPUs). */
function nanoCpus(text: string): number {
  const ratio = /^([+-]?[\d.]+(?:e[+-]?\d+)?)(?:\/(\d+))?$/i.exec(text);
  const value = ratio ? (Number(ratio[1]) / Number(ratio[2] ?? 1)) * 1e9 : Number.NaN;
  if (Number.isNaN(value)) throw new Error(`failed to parse ${text} as a rational number`);
  const rounded = Math.round(value);
  if (Math.abs(value - rounded) > 1e-4) throw new Error('value is too precise');
  return rounded;
}

export const isList = (type: FlagType): boolean =>
  type === 'list' ||
  type === 'strings' ||
  type === 'stringArray' ||
  type === 'stringToString' ||
  type === 'map' ||
  type === 'filter' ||
  type === 'mount' ||
  type === 'network' ||
  type === 'ulimit' ||
  type === 'gpu-request';

/** One value of a `strings` flag may hold several, separated as in CSV. Errors name the column, in bytes, as Go's reader does. */
export function splitCsv(text: string): string[] {
  const fail = (index: number, what: string): never => {
    const column = Buffer.byteLength(text.slice(0, index)) + 1;
    throw new Error(`parse error on line 1, column ${column}: ${what}`);
  };
  const fields: string[] = [];
  let at = 0;
  for (;;) {
    if (text[at] === '"') {
      let field = '';
      at++;
      for (;;) {
        const end = text.indexOf('"', at);
        if (end < 0) fail(text.length, 'extraneous or missing " in quoted-field');
        field += text.slice(at, end);
        at = end + 1;
        if (text[at] !== '"') break;
        field += '"';
        at++;
      }
      fields.push(field);
      if (at < text.length && text[at] !== ',') fail(at - 1, 'extraneous or missing " in quoted-field');
    } else {
      const end = text.indexOf(',', at);
      const field = end < 0 ? text.slice(at) : text.slice(at, end);
      if (field.includes('"')) fail(at + field.indexOf('"'), 'bare " in non-quoted-field');
      fields.push(field);
      at += field.length;
    }
    if (at >= text.length) return fields;
    at++;
  }
}

/** How an error names a flag: `-m, --memory` or `--memory`. */
export const flagName = (spec: FlagSpec): string =>
  spec.short === undefined ? `--${spec.name}` : `-${spec.short}, --${spec.name}`;
