import { GoDuration, GoStruct, GoTime, structText } from './go-values.ts';
import { TypedNil, typeName } from './types.ts';

export const isMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !isScalar(value);
const isScalar = (value: object): boolean =>
  value instanceof TypedNil || value instanceof GoTime || value instanceof GoDuration;

/** True for values that stand for a Go struct: they carry the name of their type. */
export const structName = (value: unknown): string | undefined =>
  isMap(value) ? ((value as { [typeName]?: string })[typeName] ?? undefined) : undefined;

/** The name of a value's Go type, for messages. */
export function goType(value: unknown): string {
  if (value === null || value === undefined) return '<nil>';
  if (typeof value === 'string') return 'string';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'bigint') return 'int64';
  if (typeof value === 'number') return Number.isInteger(value) ? 'int' : 'float64';
  if (value instanceof TypedNil)
    return value.type || { slice: '[]string', map: 'map[string]string', pointer: '*struct' }[value.kind];
  if (value instanceof GoDuration) return 'time.Duration';
  if (value instanceof GoTime) return 'time.Time';
  if (Array.isArray(value))
    return value.length > 0 && value.every((item) => typeof item === 'string') ? '[]string' : '[]interface {}';
  return structName(value) ?? 'map[string]interface {}';
}

/** Go's truth: the zero value and the empty are false. */
export function truth(value: unknown): boolean {
  if (value === undefined || value === null || value instanceof TypedNil) return false;
  if (value instanceof GoDuration) return value.ns !== 0;
  if (value instanceof GoTime) return true;
  if (typeof value === 'object')
    return Array.isArray(value) ? value.length > 0 : structName(value) !== undefined || Object.keys(value).length > 0;
  return Boolean(value);
}

/** Map keys in Go's order: by bytes. */
export const sortedKeys = (map: Record<string, unknown>): string[] =>
  Object.keys(map).sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));

/** A float64 as `%v` prints it: shortest form, exponent from 1e21 on and below 1e-4. */
export function floatText(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  const exponent = value === 0 ? 0 : Math.floor(Math.log10(Math.abs(value)));
  if (exponent >= 21 || exponent < -4) return value.toExponential().replace(/e([+-])(\d)$/, 'e$10$2');
  return String(value);
}

/** A value as `%v` prints it; nested in a list or map, nil is `<nil>`. */
export function format(value: unknown, nested = false): string {
  if (value === undefined || value === null) return '<nil>';
  if (typeof value === 'number') return floatText(value);
  if (value instanceof TypedNil) return { slice: '[]', map: 'map[]', pointer: '<nil>' }[value.kind];
  if (Array.isArray(value)) return `[${value.map(inner).join(' ')}]`;
  if (value instanceof GoStruct) return structText(value, inner, nested);
  if (isMap(value)) {
    if (structName(value) !== undefined) return `{${Object.values(value).flatMap(ownText).join(' ')}}`;
    return `map[${sortedKeys(value)
      .map((key) => `${key}:${inner(value[key])}`)
      .join(' ')}]`;
  }
  return String(value);
}

/** Of a struct's methods only those show that need nothing: what they say. */
const ownText = (item: unknown): string[] =>
  typeof item !== 'function' ? [inner(item)] : item.length === 0 ? [inner(item())] : [];

const inner = (value: unknown): string => format(value, true);
