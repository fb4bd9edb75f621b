/**
 * Go's typed values, for templates that look at structs: what they print, what JSON they are, and the zero value that stands where
 * JSON has nothing.
 */
import { TypedNil, typeName } from './types.ts';

export interface StructField {
  name: string;
  /** The key in JSON; undefined for an embedded struct, whose fields are written in its place. */
  json?: string;
  omitEmpty: boolean;
}
export interface StructType {
  name: string;
  fields: readonly StructField[];
  /** What the type's String method makes of a value. */
  text?: (value: GoStruct) => string;
}

/** A struct, or a pointer to one. Its own enumerable properties are its fields in Go's order; those of embedded structs can be read too. */
export class GoStruct {
  declare readonly [typeName]: string;
  constructor(type: StructType, pointer: boolean, values: Readonly<Record<string, unknown>>) {
    const hidden = (name: string | symbol, value: unknown): void => {
      Object.defineProperty(this, name, { value, enumerable: false });
    };
    hidden(typeName, `${pointer ? '*' : ''}${type.name}`);
    hidden(structType, type);
    hidden(isPointer, pointer);
    const own = this as Record<string, unknown>;
    for (const { name } of type.fields) own[name] = values[name];
    for (const { name, json } of type.fields) {
      const inner = values[name];
      if (json !== undefined || !(inner instanceof GoStruct)) continue;
      for (const promoted of Object.getOwnPropertyNames(inner))
        if (!Object.hasOwn(this, promoted)) hidden(promoted, (inner as unknown as Record<string, unknown>)[promoted]);
    }
  }
}
const structType = Symbol('structType');
const isPointer = Symbol('isPointer');
const typeOf = (value: GoStruct): StructType => (value as unknown as { [structType]: StructType })[structType];

/** How fmt prints it inside another value; a pointer's target with `&` before it, where Go has an address of no use to anybody. */
export function structText(value: GoStruct, format: (value: unknown) => string, nested: boolean): string {
  const { fields, text } = typeOf(value);
  if (text) return text(value);
  const own = value as unknown as Record<string, unknown>;
  const pointer = (value as unknown as { [isPointer]: boolean })[isPointer];
  return `${pointer && nested ? '&' : ''}{${fields.map(({ name }) => format(own[name])).join(' ')}}`;
}

/** Keys and values as Go's encoder writes them. */
export function structEntries(value: GoStruct): [string, unknown][] {
  const own = value as unknown as Record<string, unknown>;
  return typeOf(value).fields.flatMap(({ name, json, omitEmpty }): [string, unknown][] => {
    const item = own[name];
    if (json === undefined) return item instanceof GoStruct ? structEntries(item) : [];
    return omitEmpty && isEmpty(item) ? [] : [[json, item]];
  });
}

function isEmpty(value: unknown): boolean {
  if (value instanceof TypedNil || value === undefined || value === null) return true;
  if (value instanceof GoDuration) return value.ns === 0;
  if (value instanceof GoStruct || value instanceof GoTime) return false;
  if (Array.isArray(value)) return value.length === 0;
  return typeof value === 'object' ? Object.keys(value).length === 0 : !value;
}

/** A time.Time: RFC 3339 in JSON, Go's longer form when printed. */
export class GoTime {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
  toString(): string {
    const parts = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)$/.exec(this.text);
    if (!parts) return this.text;
    const [, date, time, fraction = '', zone = 'Z'] = parts;
    const digits = fraction.replace(/0+$/, '');
    const offset = zone === 'Z' ? '+0000 UTC' : `${zone.replace(':', '')} ${zone.replace(':', '')}`;
    return `${date} ${time}${digits === '' ? '' : `.${digits}`} ${offset}`;
  }
  toJSON(): string {
    return this.text;
  }
}

/** A time.Duration: nanoseconds in JSON, `1m30s` when printed. */
export class GoDuration {
  readonly ns: number;
  constructor(ns: number) {
    this.ns = ns;
  }
  valueOf(): number {
    return this.ns;
  }
  toString(): string {
    const ns = Math.abs(this.ns);
    const sign = this.ns < 0 ? '-' : '';
    if (ns === 0) return '0s';
    if (ns < 1e9) {
      const [unit, size] = ns < 1e3 ? (['ns', 1] as const) : ns < 1e6 ? (['µs', 1e3] as const) : (['ms', 1e6] as const);
      return `${sign}${ns / size}${unit}`;
    }
    const minutes = Math.floor(ns / 6e10);
    const seconds = `${(ns - minutes * 6e10) / 1e9}s`;
    if (minutes === 0) return sign + seconds;
    return `${sign}${minutes < 60 ? '' : `${Math.floor(minutes / 60)}h`}${minutes % 60}m${seconds}`;
  }
  toJSON(): number {
    return this.ns;
  }
}

/** What a map's keys and values are; a plain object without it is a `map[string]interface {}`. */
export interface MapType {
  key: string;
  /** What `index` gives for a key that is not there. */
  zero: () => unknown;
}
const mapType = Symbol('mapType');
export const typedMap = <T extends object>(map: T, type: MapType): T =>
  Object.defineProperty(map, mapType, { value: type, enumerable: false });
export const mapTypeOf = (map: object): MapType | undefined => (map as { [mapType]?: MapType })[mapType];
