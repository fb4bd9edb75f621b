import type { z } from 'zod';

/** What is read of zod's own description of a schema. */
interface Definition {
  type: string;
  shape?: Record<string, z.core.$ZodType>;
  innerType?: z.core.$ZodType;
  in?: z.core.$ZodType;
  element?: z.core.$ZodType;
  valueType?: z.core.$ZodType;
  left?: z.core.$ZodType;
  right?: z.core.$ZodType;
}

const definition = (schema: z.core.$ZodType): Definition => schema._zod.def as unknown as Definition;

/**
 * Go's decoder matches the names of a struct's fields without regard to case, and clients rely on it (docker-py's `detachKeys`).
 * Returns the value with each field under the name that the schema has; names of maps are left as they are.
 */
export function withSchemaKeys(value: unknown, schema: z.core.$ZodType): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const { type, shape, innerType, in: input, element, valueType, left, right } = definition(schema);
  const inside = innerType ?? (type === 'pipe' ? input : undefined);
  if (inside !== undefined) return withSchemaKeys(value, inside);
  if (left !== undefined && right !== undefined) return withSchemaKeys(withSchemaKeys(value, left), right);
  if (Array.isArray(value)) return element === undefined ? value : value.map((item) => withSchemaKeys(item, element));
  if (valueType !== undefined)
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, withSchemaKeys(item, valueType)]));
  if (shape === undefined) return value;
  let known: Map<string, string> | undefined;
  const likeIt = (given: string): string | undefined => {
    known ??= new Map(Object.keys(shape).map((name) => [name.toLowerCase(), name]));
    return known.get(given.toLowerCase());
  };
  const result: Record<string, unknown> = {};
  for (const [given, item] of Object.entries(value)) {
    const name = Object.hasOwn(shape, given) ? given : (likeIt(given) ?? given);
    const field = Object.hasOwn(shape, name) ? shape[name] : undefined;
    result[name] = field === undefined ? item : withSchemaKeys(item, field);
  }
  return result;
}
