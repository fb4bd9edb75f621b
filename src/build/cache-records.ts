import { type Filters, parseDurationNs } from '../common/index.ts';

/** One thing of the build cache as people see it: a step's result, a client's directory, or a directory of `RUN --mount=type=cache`. */
export interface CacheRecord {
  id: string;
  /** BuildKit's names. */
  type: 'regular' | 'source.local' | 'exec.cachemount';
  description: string;
  bytes: number;
  created: Date;
  used: Date;
  uses: number;
  /** A build has it. */
  inUse: boolean;
  /** An image has it, too: removing it here gives no space back. */
  shared: boolean;
}

/** Those that have such records. */
export interface CacheSource {
  records(): Promise<CacheRecord[]>;
  /** Answers the ids of those that are gone: what a build has stays. */
  remove(ids: readonly string[]): Promise<string[]>;
}

/** In the shape of Docker's `BuildCache` (Engine API v1.51). */
export const usageRow = (record: CacheRecord): Record<string, unknown> => ({
  ID: record.id,
  Type: record.type,
  Description: record.description,
  InUse: record.inUse,
  Shared: record.shared,
  Size: record.bytes,
  CreatedAt: record.created.toISOString(),
  LastUsedAt: record.used.toISOString(),
  UsageCount: record.uses,
});

/** True for what the filters of `POST /build/prune` let go. Throws for filters that are none. */
export function cacheFilter(filters: Filters, now = Date.now()): (record: CacheRecord) => boolean {
  filters.allow(['until', 'unused-for', 'id', 'parent', 'type', 'description', 'inuse', 'shared', 'private']);
  const age = filters.get('until')[0] ?? filters.get('unused-for')[0];
  const before = age === undefined ? undefined : now - parseDurationNs(age) / 1e6;
  const [inUse, shared, isPrivate] = ['inuse', 'shared', 'private'].map((name) => filters.bool(name));
  const is = (wanted: boolean | undefined, value: boolean) => wanted === undefined || wanted === value;
  const ids = filters.get('id');
  const words = filters.get('description');
  return (record) =>
    (before === undefined || record.used.getTime() <= before) &&
    (ids.length === 0 || ids.some((id) => record.id.startsWith(id))) &&
    (words.length === 0 || words.some((text) => record.description.includes(text))) &&
    filters.exact('type', record.type) &&
    // Records here do not know on which others they stand.
    !filters.has('parent') &&
    is(inUse, record.inUse) &&
    is(shared, record.shared) &&
    is(isPrivate, !record.shared);
}

/** What a prune removes: what the filters let, longest unused first, until at most `keep` bytes are left (0: all). Without `all`, what an image has too stays. */
export function prunable(
  records: readonly CacheRecord[],
  { all, keep, filters }: { all: boolean; keep: number; filters: Filters },
): CacheRecord[] {
  const lets = cacheFilter(filters);
  const chosen: CacheRecord[] = [];
  let left = records.reduce((sum, { bytes }) => sum + bytes, 0);
  for (const record of records.toSorted((a, b) => a.used.getTime() - b.used.getTime())) {
    if (keep > 0 && left <= keep) break;
    if (record.inUse || (record.shared && !all) || !lets(record)) continue;
    left -= record.bytes;
    chosen.push(record);
  }
  return chosen;
}
