import type { FilterMap } from '../client/index.ts';

/** `name=value` flags as the API's filters. */
export function filterMap(values: readonly string[]): FilterMap {
  const map: Record<string, string[]> = {};
  for (const value of values) {
    const cut = value.indexOf('=');
    const key = value.slice(0, cut);
    map[key] = [...(map[key] ?? []), value.slice(cut + 1)];
  }
  return map;
}
