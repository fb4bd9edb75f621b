import { createHash } from 'node:crypto';
import { type Filters, type Lease, nowText, parseDurationNs } from '../common/index.ts';
import type { ContentStore } from '../content/index.ts';
import type { LayerStore } from '../layers/index.ts';
import type { Database } from '../state/index.ts';
import type { BuiltLayer } from './types.ts';

const SCHEMA = `
  CREATE TABLE build_steps (key TEXT PRIMARY KEY, description TEXT NOT NULL, created TEXT NOT NULL, used TEXT NOT NULL, uses INTEGER NOT NULL, layer TEXT, pin TEXT, bytes INTEGER NOT NULL) STRICT;
  CREATE TABLE build_digests (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;`;

/** What a step made: a layer, or nothing (then only when matters, for `created` is part of the image). */
export interface CachedStep {
  key: string;
  description: string;
  created: string;
  layer: BuiltLayer | undefined;
}

interface Row extends CachedStep {
  used: string;
  uses: number;
  pin: string | undefined;
  bytes: number;
}

export const keyOf = (...parts: unknown[]): string => createHash('sha256').update(JSON.stringify(parts)).digest('hex');

/**
 * Steps done, by key. A layer that only the cache knows would be collected with the next image removed; so each record pins its
 * layer with a snapshot of its own that nobody mounts, and its archive with a lease.
 */
export class StepCache {
  readonly #db: Database;
  readonly #layers: LayerStore;
  #lease: Lease;
  readonly #content: ContentStore;
  readonly #rows = new Map<string, Row>();

  constructor({ db, layers, content }: { db: Database; layers: LayerStore; content: ContentStore }) {
    this.#db = db;
    this.#layers = layers;
    this.#content = content;
    this.#lease = content.lease();
    db.migrate('build', [SCHEMA]);
    for (const row of db.sql.prepare('SELECT * FROM build_steps ORDER BY created').all()) {
      const layer = row.layer === null ? undefined : (JSON.parse(String(row.layer)) as BuiltLayer);
      if (layer !== undefined && layers.get(layer.chainId) === undefined) {
        db.sql.prepare('DELETE FROM build_steps WHERE key = ?').run(String(row.key));
        continue;
      }
      if (layer !== undefined) this.#lease.add(layer.digest);
      this.#rows.set(String(row.key), {
        key: String(row.key),
        description: String(row.description),
        created: String(row.created),
        used: String(row.used),
        uses: Number(row.uses),
        layer,
        pin: row.pin === null ? undefined : String(row.pin),
        bytes: Number(row.bytes),
      });
    }
  }

  find(key: string): CachedStep | undefined {
    const row = this.#rows.get(key);
    if (row === undefined) return undefined;
    if (row.layer !== undefined && this.#layers.get(row.layer.chainId) === undefined) return undefined;
    return row;
  }

  /** Counts a use; written at the end of a build, all at once. */
  touch(keys: Iterable<string>): void {
    const now = nowText();
    const write = this.#db.sql.prepare('UPDATE build_steps SET used = ?, uses = ? WHERE key = ?');
    this.#db.transaction(() => {
      for (const key of keys) {
        const row = this.#rows.get(key);
        if (row === undefined) continue;
        row.used = now;
        row.uses++;
        write.run(now, row.uses, key);
      }
    });
  }

  /** The caller keeps the step's layer. A record with the same key is replaced. */
  async add(step: CachedStep): Promise<void> {
    const before = this.#rows.get(step.key);
    const pin = step.layer === undefined ? undefined : `build-cache-${step.key}`;
    if (before?.pin !== undefined) await this.#layers.removeSnapshot(before.pin);
    if (step.layer !== undefined && pin !== undefined) {
      this.#lease.add(step.layer.digest);
      await this.#layers.createSnapshot(pin, { parent: step.layer.chainId, owner: 'build-cache' });
    }
    const bytes = step.layer === undefined ? 0 : (this.#layers.get(step.layer.chainId)?.sizeBytes ?? 0);
    const row: Row = { ...step, used: step.created, uses: 0, pin, bytes };
    this.#rows.set(step.key, row);
    this.#db.sql
      .prepare('INSERT OR REPLACE INTO build_steps VALUES (?, ?, ?, ?, ?, ?, ?, ?)')
      .run(
        row.key,
        row.description,
        row.created,
        row.used,
        row.uses,
        row.layer === undefined ? null : JSON.stringify(row.layer),
        pin ?? null,
        bytes,
      );
  }

  /** Digests of files in a layer chain, which never change: worth remembering. */
  digest(key: string): string | undefined {
    const row = this.#db.sql.prepare('SELECT value FROM build_digests WHERE key = ?').get(key);
    return row === undefined ? undefined : String(row.value);
  }
  rememberDigest(key: string, value: string): void {
    this.#db.sql.prepare('INSERT OR REPLACE INTO build_digests VALUES (?, ?)').run(key, value);
  }

  /** Rows in the shape of Docker's `BuildCache` (Engine API v1.51). */
  usage(isUsed: (layer: BuiltLayer) => boolean): Record<string, unknown>[] {
    return [...this.#rows.values()].map((row) => ({
      ID: row.key.slice(0, 25),
      Parents: null,
      Type: row.description.startsWith('COPY') || row.description.startsWith('ADD') ? 'source.local' : 'regular',
      Description: row.description,
      InUse: false,
      Shared: row.layer !== undefined && isUsed(row.layer),
      Size: row.bytes,
      CreatedAt: row.created,
      LastUsedAt: row.used,
      UsageCount: row.uses,
    }));
  }

  get bytes(): number {
    return [...this.#rows.values()].reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** Removes what the filters let, oldest use first, until at most `keep` bytes are left (0: all goes). Without `all`, what an image has too stays. */
  async prune(options: {
    all: boolean;
    keep: number;
    filters: Filters;
    isUsed: (layer: BuiltLayer) => boolean;
  }): Promise<{ keys: string[]; bytes: number }> {
    const { filters, isUsed } = options;
    filters.allow(['until', 'unused-for', 'id', 'parent', 'type', 'description', 'inuse', 'shared', 'private']);
    const age = filters.get('until')[0] ?? filters.get('unused-for')[0];
    const before = age === undefined ? undefined : Date.now() - parseDurationNs(age) / 1e6;
    const shared = filters.bool('shared');
    const isPrivate = filters.bool('private');
    const rows = [...this.#rows.values()].sort((a, b) => (a.used < b.used ? -1 : 1));
    let total = this.bytes;
    const gone: string[] = [];
    let bytes = 0;
    for (const row of rows) {
      const used = row.layer !== undefined && isUsed(row.layer);
      if (used && !options.all) continue;
      if (options.keep > 0 && total <= options.keep) break;
      if (before !== undefined && Date.parse(row.used) > before) continue;
      if (filters.has('id') && !filters.get('id').some((id) => row.key.startsWith(id))) continue;
      if (filters.has('description') && !filters.get('description').some((text) => row.description.includes(text)))
        continue;
      if (filters.has('type') && !filters.get('type').includes('regular')) continue;
      if (
        (shared !== undefined && shared !== used) ||
        (isPrivate !== undefined && isPrivate === used) ||
        filters.bool('inuse') === true
      )
        continue;
      await this.#remove(row);
      total -= row.bytes;
      if (!used) bytes += row.bytes;
      gone.push(row.key.slice(0, 25));
    }
    if (gone.length > 0) this.#db.sql.exec('DELETE FROM build_digests');
    this.#renewLease();
    return { keys: gone, bytes };
  }

  /** Pins of records that are no more (a daemon killed between the two). */
  async dropOrphans(): Promise<void> {
    const pins = new Set([...this.#rows.values()].map(({ pin }) => pin));
    for (const { id, owner } of this.#layers.snapshots())
      if (owner === 'build-cache' && !pins.has(id)) await this.#layers.removeSnapshot(id);
  }

  async #remove(row: Row): Promise<void> {
    this.#rows.delete(row.key);
    this.#db.sql.prepare('DELETE FROM build_steps WHERE key = ?').run(row.key);
    if (row.pin !== undefined) await this.#layers.removeSnapshot(row.pin);
  }

  /** A lease only grows; after a prune a new one holds what is left. */
  #renewLease(): void {
    const next = this.#content.lease();
    for (const { layer } of this.#rows.values()) if (layer !== undefined) next.add(layer.digest);
    this.#lease.end();
    this.#lease = next;
  }
}
