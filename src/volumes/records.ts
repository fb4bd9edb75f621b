import type { Database } from '../state/index.ts';

const MIGRATIONS = [
  `CREATE TABLE volumes (name TEXT PRIMARY KEY, driver TEXT NOT NULL, labels TEXT, options TEXT, created TEXT NOT NULL, filled INTEGER NOT NULL DEFAULT 0) STRICT;
   CREATE TABLE volume_holds (volume TEXT NOT NULL, container TEXT NOT NULL, PRIMARY KEY (volume, container)) STRICT;`,
  `CREATE TABLE volume_mounts (volume TEXT NOT NULL, container TEXT NOT NULL, PRIMARY KEY (volume, container)) STRICT;`,
];

/** `filling`: a fill is under way, or was broken off by a crash. */
export type FillState = 'empty' | 'filled' | 'filling';
const FILL: readonly FillState[] = ['empty', 'filled', 'filling'];

export interface VolumeRecord {
  name: string;
  driver: string;
  labels: Record<string, string> | null;
  options: Record<string, string> | null;
  /** RFC 3339, whole seconds. */
  created: string;
}

type Uses = 'volume_holds' | 'volume_mounts';
type Row = Record<string, unknown>;

const jsonOrNull = (value: Record<string, string> | null): string | null =>
  value === null ? null : JSON.stringify(value);
const parsed = (value: unknown): Record<string, string> | null =>
  value === null ? null : (JSON.parse(String(value)) as Record<string, string>);
const recordOf = (row: Row): VolumeRecord => ({
  name: String(row.name),
  driver: String(row.driver),
  labels: parsed(row.labels),
  options: parsed(row.options),
  created: String(row.created),
});

/** What is on disk of volumes, their holds and mounts. */
export class VolumeRecords {
  readonly #db: Database;
  constructor(db: Database) {
    this.#db = db;
    db.migrate('volumes', MIGRATIONS);
  }

  #all(sql: string, ...values: string[]): Row[] {
    return this.#db.sql.prepare(sql).all(...values);
  }
  #run(sql: string, ...values: (string | number | null)[]): void {
    this.#db.sql.prepare(sql).run(...values);
  }

  find(name: string): VolumeRecord | undefined {
    const [row] = this.#all('SELECT * FROM volumes WHERE name = ?', name);
    return row === undefined ? undefined : recordOf(row);
  }
  all(): VolumeRecord[] {
    return this.#all('SELECT * FROM volumes ORDER BY name').map(recordOf);
  }
  add({ name, driver, labels, options, created }: VolumeRecord): void {
    this.#run(
      'INSERT INTO volumes (name, driver, labels, options, created) VALUES (?, ?, ?, ?, ?)',
      name,
      driver,
      jsonOrNull(labels),
      jsonOrNull(options),
      created,
    );
  }
  remove(name: string): void {
    this.#db.transaction(() => {
      this.#run('DELETE FROM volumes WHERE name = ?', name);
      this.#run('DELETE FROM volume_holds WHERE volume = ?', name);
      this.#run('DELETE FROM volume_mounts WHERE volume = ?', name);
    });
  }

  fillState(name: string): FillState {
    const [row] = this.#all('SELECT filled FROM volumes WHERE name = ?', name);
    return FILL[Number(row?.filled ?? 0)] ?? 'empty';
  }
  setFillState(name: string, state: FillState): void {
    this.#run('UPDATE volumes SET filled = ? WHERE name = ?', FILL.indexOf(state), name);
  }

  use(kind: Uses, volume: string, container: string): void {
    this.#run(`INSERT OR IGNORE INTO ${kind} VALUES (?, ?)`, volume, container);
  }
  /** False if there was no such use. */
  drop(kind: Uses, volume: string, container: string): boolean {
    return (
      this.#db.sql.prepare(`DELETE FROM ${kind} WHERE volume = ? AND container = ?`).run(volume, container).changes > 0
    );
  }
  users(kind: Uses, volume: string): string[] {
    return this.#all(`SELECT container FROM ${kind} WHERE volume = ? ORDER BY rowid`, volume).map(({ container }) =>
      String(container),
    );
  }
  uses(kind: Uses): { volume: string; container: string }[] {
    return this.#all(`SELECT volume, container FROM ${kind}`).map(({ volume, container }) => ({
      volume: String(volume),
      container: String(container),
    }));
  }
}
