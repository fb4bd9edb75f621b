import { z } from 'zod';
import type { CacheLimits } from '../build/index.ts';
import { parseBytes } from '../common/index.ts';

/** One pass of the build cache's collection. */
export interface CacheRule {
  all: boolean;
  filters: Record<string, string[]>;
  limits: CacheLimits;
}

const size = z
  .union([z.string(), z.number().int()])
  .transform((value) => (typeof value === 'number' ? value : parseBytes(value)));
const pair = z.string().regex(/^[^=]+=/, 'a filter is name=value');

const Rule = z
  .strictObject({
    all: z.boolean().default(false),
    filter: z.array(pair).default([]),
    keepStorage: size.optional(),
    reservedSpace: size.optional(),
    maxUsedSpace: size.optional(),
    minFreeSpace: size.optional(),
  })
  .transform(
    ({ all, filter, keepStorage, reservedSpace, maxUsedSpace, minFreeSpace }): CacheRule => ({
      all,
      filters: grouped(filter),
      limits: { reserved: reservedSpace ?? keepStorage, maxUsed: maxUsedSpace, minFree: minFreeSpace },
    }),
  );

const Gc = z.strictObject({
  enabled: z.boolean().default(true),
  defaultKeepStorage: size.optional(),
  defaultReservedSpace: size.optional(),
  defaultMaxUsedSpace: size.optional(),
  defaultMinFreeSpace: size.optional(),
  policy: z.array(Rule).optional(),
});

/** `builder` of daemon.json as dockerd has it, as the rules to keep to. Without any limit nothing is collected. */
export const Builder = z.strictObject({ gc: Gc.optional() }).transform(({ gc }): CacheRule[] => {
  if (gc === undefined || !gc.enabled) return [];
  if (gc.policy !== undefined) return gc.policy;
  const limits = {
    reserved: gc.defaultReservedSpace ?? gc.defaultKeepStorage,
    maxUsed: gc.defaultMaxUsedSpace,
    minFree: gc.defaultMinFreeSpace,
  };
  return Object.values(limits).some((value) => value !== undefined) ? [{ all: false, filters: {}, limits }] : [];
});

function grouped(pairs: readonly string[]): Record<string, string[]> {
  const found: Record<string, string[]> = {};
  for (const text of pairs) {
    const cut = text.indexOf('=');
    const name = text.slice(0, cut);
    found[name] = [...(found[name] ?? []), text.slice(cut + 1)];
  }
  return found;
}
