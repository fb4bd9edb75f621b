import type { FilterMap } from '../client/index.ts';
import { filterMap } from './filters.ts';
import type { Cli } from './session.ts';

/** `--filter` values joined with `pruneFilters` of config.json; a given label wins over the same in the file. */
export function pruneFilters(cli: Cli, given: readonly string[]): FilterMap {
  const own = filterMap(given);
  const configured = filterMap((cli.config.data.pruneFilters ?? []).filter((item) => item.includes('=')));
  const merged: Record<string, string[]> = {};
  for (const [key, values] of Object.entries(own)) merged[key] = [...values];
  for (const [key, values] of Object.entries(configured)) {
    const opposite = key === 'label' ? 'label!' : key === 'label!' ? 'label' : undefined;
    for (const value of values)
      if (!opposite || !own[opposite]?.includes(value)) merged[key] = [...(merged[key] ?? []), value];
  }
  return merged;
}
