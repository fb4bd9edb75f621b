import { z } from 'zod';

/**
 * Building blocks for the API's JSON. Go's decoder takes `null` for every field and leaves the zero value; so do these:
 * a missing or null field becomes undefined. Unknown fields are dropped, as Go does.
 */
export const opt = <T extends z.ZodType>(schema: T) =>
  schema
    .nullish()
    .transform((value) => value ?? undefined)
    .optional() as unknown as z.ZodOptional<z.ZodType<z.output<T> | undefined, z.input<T> | null | undefined>>;
export const str = opt(z.string());
export const bool = opt(z.boolean());
export const int = opt(z.number().int());
export const num = opt(z.number());
/** A text in a list or map, where null is the empty one. */
const item = z
  .string()
  .nullable()
  .transform((text) => text ?? '');
export const strings = opt(z.array(item));
export const stringMap = opt(z.record(z.string(), item));
/** Go's set: `{"80/tcp":{}}`. */
export const keySet = opt(
  z.record(
    z.string(),
    z
      .object({})
      .nullish()
      .transform(() => ({})),
  ),
);
/** A command: a list, or (strslice.StrSlice) one string. */
export const command = opt(z.union([z.array(z.string()), z.string().transform((text) => [text])]));
