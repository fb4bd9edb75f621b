import { createHash } from 'node:crypto';
import { type Lease, nowText } from '../common/index.ts';
import type { ContentStore } from '../content/index.ts';
import type { LayerStore } from '../layers/index.ts';
import type { Database } from '../state/index.ts';
import type { CacheRecord } from './cache-records.ts';
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

/** What people see of a key. */
const idOf = ({ key }: Row): string => key.slice(0, 25);

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

  /** `isUsed`: an image has the layer. */
  async records(isUsed: (layer: BuiltLayer) => boolean): Promise<CacheRecord[]> {
    return [...this.#rows.values()].map((row) => ({
      id: idOf(row),
      type: 'regular',
      description: row.description,
      bytes: row.bytes,
      created: new Date(row.created),
      used: new Date(row.used),
      uses: row.uses,
      inUse: false,
      shared: row.layer !== undefined && isUsed(row.layer),
    }));
  }

  async remove(ids: readonly string[]): Promise<string[]> {
    const wanted = new Set(ids);
    const rows = [...this.#rows.values()].filter((row) => wanted.has(idOf(row)));
    for (const row of rows) await this.#remove(row);
    if (rows.length > 0) this.#db.sql.exec('DELETE FROM build_digests');
    this.#renewLease();
    return rows.map(idOf);
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
