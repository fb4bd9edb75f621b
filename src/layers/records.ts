import type { Database } from '../state/index.ts';
import type { Layer } from './types.ts';

export interface SnapshotRecord {
  id: string;
  parent: string | undefined;
  owner: string;
}

const MIGRATIONS = [
  `CREATE TABLE layers (
     chain_id TEXT PRIMARY KEY,
     diff_id TEXT NOT NULL,
     parent TEXT REFERENCES layers (chain_id),
     size_bytes INTEGER NOT NULL
   ) STRICT;
   CREATE INDEX layers_by_parent ON layers (parent);
   CREATE TABLE snapshots (
     id TEXT PRIMARY KEY,
     parent TEXT REFERENCES layers (chain_id),
     owner TEXT NOT NULL
   ) STRICT;
   CREATE INDEX snapshots_by_parent ON snapshots (parent);`,
];

type Row = Record<string, unknown>;
const textOrNone = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
const layerOf = (row: Row): Layer => ({
  chainId: String(row.chain_id),
  diffId: String(row.diff_id),
  parent: textOrNone(row.parent),
  sizeBytes: Number(row.size_bytes),
});
const snapshotOf = (row: Row): SnapshotRecord => ({
  id: String(row.id),
  parent: textOrNone(row.parent),
  owner: String(row.owner),
});

/** The room's tables. A row exists only while its directory does. */
export class Records {
  readonly #statements;

  constructor(db: Database) {
    db.migrate('layers', MIGRATIONS);
    const prepare = (text: string) => db.sql.prepare(text);
    this.#statements = {
      layer: prepare('SELECT * FROM layers WHERE chain_id = ?'),
      layers: prepare('SELECT * FROM layers ORDER BY rowid'),
      addLayer: prepare('INSERT INTO layers VALUES (?, ?, ?, ?)'),
      removeLayer: prepare('DELETE FROM layers WHERE chain_id = ?'),
      snapshot: prepare('SELECT * FROM snapshots WHERE id = ?'),
      snapshots: prepare('SELECT * FROM snapshots ORDER BY rowid'),
      addSnapshot: prepare('INSERT INTO snapshots VALUES (?, ?, ?)'),
      removeSnapshot: prepare('DELETE FROM snapshots WHERE id = ?'),
      users: prepare(
        'SELECT (SELECT count(*) FROM layers WHERE parent = ?1) AS layers, (SELECT count(*) FROM snapshots WHERE parent = ?1) AS snapshots',
      ),
    };
  }

  layer(chainId: string): Layer | undefined {
    const row = this.#statements.layer.get(chainId);
    return row === undefined ? undefined : layerOf(row);
  }
  layers(): Layer[] {
    return this.#statements.layers.all().map(layerOf);
  }
  addLayer(layer: Layer): void {
    this.#statements.addLayer.run(layer.chainId, layer.diffId, layer.parent ?? null, layer.sizeBytes);
  }
  removeLayer(chainId: string): void {
    this.#statements.removeLayer.run(chainId);
  }
  /** What stands on a chain. */
  users(chainId: string): { layers: number; snapshots: number } {
    const row = this.#statements.users.get(chainId);
    return { layers: Number(row?.layers), snapshots: Number(row?.snapshots) };
  }
  snapshot(id: string): SnapshotRecord | undefined {
    const row = this.#statements.snapshot.get(id);
    return row === undefined ? undefined : snapshotOf(row);
  }
  snapshots(): SnapshotRecord[] {
    return this.#statements.snapshots.all().map(snapshotOf);
  }
  addSnapshot({ id, parent, owner }: SnapshotRecord): void {
    this.#statements.addSnapshot.run(id, parent ?? null, owner);
  }
  removeSnapshot(id: string): void {
    this.#statements.removeSnapshot.run(id);
  }
}
