import {
  GoDuration,
  GoStruct,
  GoTime,
  type StructField,
  type StructType,
  TypedNil,
  typedMap,
} from '../../template/index.ts';
import { SCHEMAS } from './schemas.ts';

interface Field extends StructField {
  type: string;
}
type Type = StructType & { fields: readonly Field[] };

const types = new Map<string, Type>();

/** The type of this name; parsed when first asked for, since a template looks at few. */
function structNamed(name: string): Type | undefined {
  const known = types.get(name);
  if (known) return known;
  const escaped = name.replace('.', '\\.');
  const line = new RegExp(`^${escaped}(?:!(\\S+))?:(.*)$`, 'm').exec(SCHEMAS);
  if (!line) return undefined;
  const pattern = line[1];
  const fields = line[2]!
    .split(';')
    .map((text) => text.trim())
    .filter((text) => text !== '')
    .map(parseField);
  const text =
    pattern === undefined
      ? undefined
      : (value: GoStruct): string =>
          pattern.replace(/\{(\w+)\}/g, (_, field) => String((value as unknown as Record<string, unknown>)[field]));
  const type: Type = { name, fields, text };
  types.set(name, type);
  return type;
}

function parseField(text: string): Field {
  const [, embedded, name = '', json, optional, type = ''] = /^(\+)?(\w+)(?:\/([\w.]+))?(\?)?\s+(.+)$/.exec(text) ?? [];
  return {
    name,
    type,
    omitEmpty: optional !== undefined,
    ...(embedded === undefined ? { json: json ?? name } : {}),
  };
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** JSON as a value of a Go type, e.g. `*container.State`; what JSON lacks is the type's zero value. */
export function typed(type: string, json: unknown): unknown {
  if (type.startsWith('*')) {
    if (json === undefined || json === null) return new TypedNil('pointer', type);
    const struct = structNamed(type.slice(1));
    return struct ? structOf(struct, true, json) : typed(type.slice(1), json);
  }
  if (type.startsWith('[]')) {
    const item = type.slice(2);
    return Array.isArray(json) ? json.map((value) => typed(item, value)) : new TypedNil('slice', type);
  }
  const array = /^\[(\d+)\](.*)$/.exec(type);
  if (array) {
    const list = Array.isArray(json) ? json : [];
    return Array.from({ length: Number(array[1]) }, (_, index) => typed(array[2]!, list[index]));
  }
  const map = /^map\[([^\]]+)\](.*)$/.exec(type);
  if (map) {
    const [, key = 'string', item = 'any'] = map;
    const about = { key, zero: () => typed(item, undefined) };
    if (!isObject(json)) return typedMap(new TypedNil('map', type), about);
    const entries = Object.entries(json).map(([name, value]): [string, unknown] => [name, typed(item, value)]);
    return typedMap(Object.fromEntries(entries), about);
  }
  switch (type) {
    case 'string':
      return typeof json === 'string' ? json : '';
    case 'bool':
      return json === true;
    case 'int':
      return typeof json === 'number' ? json : 0;
    case 'time':
      return new GoTime(typeof json === 'string' ? json : '0001-01-01T00:00:00Z');
    case 'duration':
      return new GoDuration(typeof json === 'number' ? json : 0);
    case 'struct{}':
      return new GoStruct({ name: type, fields: [] }, false, {});
    case 'any':
      return json ?? null;
  }
  const struct = structNamed(type);
  if (!struct) throw new Error(`no schema for the type ${type}`);
  return structOf(struct, false, json);
}

function structOf(type: Type, pointer: boolean, json: unknown): GoStruct {
  const from = isObject(json) ? json : {};
  // Go's decoder finds a key whatever its case.
  const byName = new Map(Object.entries(from).map(([name, value]) => [name.toLowerCase(), value]));
  const values: Record<string, unknown> = {};
  // An embedded struct has its fields beside the outer one's, so it is made of the same object.
  for (const field of type.fields)
    values[field.name] = typed(
      field.type,
      field.json === undefined ? json : (from[field.json] ?? byName.get(field.json.toLowerCase())),
    );
  return new GoStruct(type, pointer, values);
}
