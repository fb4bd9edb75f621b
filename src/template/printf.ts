import { GoDuration, GoStruct, GoTime } from './go-values.ts';
import { quote } from './quote.ts';
import { TypedNil } from './types.ts';
import { floatText, format, goType, isMap, sortedKeys } from './values.ts';

interface Spec {
  minus: boolean;
  plus: boolean;
  sharp: boolean;
  space: boolean;
  zero: boolean;
  width?: number;
  precision?: number;
}

/** Go's fmt.Sprintf, for the values templates have. */
export function sprintf(pattern: string, args: readonly unknown[]): string {
  let out = '';
  let next = 0;
  const verb = /%([-+# 0]*)(\*|\d+)?(?:\.(\*|\d*))?(.?)/gsu;
  let last = 0;
  for (const match of pattern.matchAll(verb)) {
    out += pattern.slice(last, match.index);
    last = match.index + match[0].length;
    const flags = match[1] ?? '';
    const number = (text: string | undefined): number | undefined =>
      text === undefined ? undefined : text === '*' ? Number(args[next++]) : Number(text || 0);
    const spec: Spec = {
      minus: flags.includes('-'),
      plus: flags.includes('+'),
      sharp: flags.includes('#'),
      space: flags.includes(' '),
      zero: flags.includes('0'),
      width: number(match[2]),
      precision: number(match[3]),
    };
    if (spec.width !== undefined && spec.width < 0) {
      spec.width = -spec.width;
      spec.minus = true;
    }
    const letter = match[4];
    if (letter === '%') out += '%';
    else if (!letter) out += '%!(NOVERB)';
    else if (next >= args.length) out += `%!${letter}(MISSING)`;
    else out += one(letter, args[next++], spec);
  }
  out += pattern.slice(last);
  if (next < args.length)
    out += `%!(EXTRA ${args
      .slice(next)
      .map((arg) => `${goType(arg)}${arg === null || arg === undefined ? '' : `=${format(arg)}`}`)
      .join(', ')})`;
  return out;
}

function pad(text: string, spec: Spec, zeros = false): string {
  const length = [...text].length;
  const missing = (spec.width ?? 0) - length;
  if (missing <= 0) return text;
  if (spec.minus) return text + ' '.repeat(missing);
  if (zeros && spec.zero) {
    const sign = /^[+-]/.exec(text)?.[0] ?? '';
    return sign + '0'.repeat(missing) + text.slice(sign.length);
  }
  return ' '.repeat(missing) + text;
}

const bad = (letter: string, value: unknown): string =>
  value === null || value === undefined ? `%!${letter}(<nil>)` : `%!${letter}(${goType(value)}=${format(value)})`;

function one(letter: string, value: unknown, spec: Spec): string {
  if (letter === 'T') return pad(goType(value), spec);
  if (letter === 'v') {
    if (typeof value === 'string') return pad(spec.sharp ? quote(value) : value, spec);
    if (typeof value === 'number' && !spec.sharp) return number(Number.isInteger(value) ? 'd' : 'g', value, spec);
    return pad(format(value), spec);
  }
  if (value instanceof GoDuration && letter === 'd') return number(letter, value.ns, spec);
  if (letter === 's' && (value instanceof GoDuration || value instanceof GoTime || value instanceof GoStruct))
    return pad(format(value), spec);
  if (value instanceof TypedNil && letter === 's' && value.kind !== 'pointer') return pad(format(value), spec);
  if (Array.isArray(value)) return `[${value.map((item) => one(letter, item, spec)).join(' ')}]`;
  if (isMap(value))
    return `map[${sortedKeys(value)
      .map((key) => `${one(letter, key, spec)}:${one(letter, value[key], spec)}`)
      .join(' ')}]`;
  if (typeof value === 'string') return text(letter, value, spec);
  if (typeof value === 'boolean') return letter === 't' ? pad(String(value), spec) : bad(letter, value);
  if (typeof value === 'number' || typeof value === 'bigint') return number(letter, Number(value), spec);
  return bad(letter, value);
}

function text(letter: string, value: string, spec: Spec): string {
  const cut = spec.precision === undefined ? value : [...value].slice(0, spec.precision).join('');
  if (letter === 's') return pad(cut, spec);
  if (letter === 'q') return pad(spec.sharp && !cut.includes('`') ? `\`${cut}\`` : quote(cut), spec);
  if (letter === 'x' || letter === 'X') {
    const hex = Buffer.from(cut).toString('hex');
    return pad(letter === 'x' ? hex : hex.toUpperCase(), spec);
  }
  return bad(letter, value);
}

function number(letter: string, value: number, spec: Spec): string {
  const sign = value < 0 ? '-' : spec.plus ? '+' : spec.space ? ' ' : '';
  const integer = Number.isInteger(value);
  const radix = { d: 10, b: 2, o: 8, x: 16, X: 16 }[letter];
  if (radix !== undefined && integer) {
    let digits = Math.abs(value).toString(radix);
    if (letter === 'X') digits = digits.toUpperCase();
    if (spec.precision !== undefined) digits = digits.padStart(spec.precision, '0');
    const prefix = spec.sharp ? ({ x: '0x', X: '0X', o: '0', b: '0b' }[letter] ?? '') : '';
    return pad(sign + prefix + digits, spec, spec.precision === undefined);
  }
  if (letter === 'c' && integer) return pad(String.fromCodePoint(value), spec);
  if (letter === 'q' && integer) return pad(quote(String.fromCodePoint(value), "'"), spec);
  if (letter === 'U' && integer) return pad(`U+${value.toString(16).toUpperCase().padStart(4, '0')}`, spec);
  // A JSON number is a float64 to Go's decoder: a whole one may be printed as either.
  const size = Math.abs(value);
  if (letter === 'f' || letter === 'F') return pad(sign + size.toFixed(spec.precision ?? 6), spec, true);
  if (letter === 'e' || letter === 'E') {
    const shown = size.toExponential(spec.precision ?? 6).replace(/e([+-])(\d)$/, 'e$10$2');
    return pad(sign + (letter === 'E' ? shown.toUpperCase() : shown), spec, true);
  }
  if (letter === 'g' || letter === 'G') {
    const shown =
      spec.precision === undefined ? floatText(size) : String(Number(size.toPrecision(spec.precision || 1)));
    return pad(sign + shown, spec, true);
  }
  return bad(letter, value);
}
