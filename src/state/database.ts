import { mkdirSync, statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { messageOf, unavailable } from '../common/index.ts';

/**
 * The store of everything that must survive the daemon. One SQLite file, WAL; `synchronous=NORMAL` survives a killed
 * daemon, and a commit is on disk before a client is answered.
 *
 * Each room owns its tables: it gives its migrations, in order, under its own name, when it opens.
 */
export interface Database {
  readonly sql: DatabaseSync;
  /** Runs what this room has not run yet. Migrations are append-only; each runs once, in one transaction. */
  migrate(room: string, migrations: readonly string[]): void;
  /** All or nothing. Synchronous, so nothing else of this process is interleaved. */
  transaction<T>(body: () => T): T;
  close(): void;
}

export function openDatabase(path: string): Database {
  if (path !== ':memory:') mkdirSync(dirname(path), { recursive: true, mode: 0o710 });
  const sql = openFile(path);
  let depth = 0;

  const transaction = <T>(body: () => T): T => {
    if (depth > 0) return body();
    sql.exec('BEGIN IMMEDIATE');
    depth++;
    try {
      const result = body();
      sql.exec('COMMIT');
      return result;
    } catch (error) {
      sql.exec('ROLLBACK');
      throw error;
    } finally {
      depth--;
    }
  };

  return {
    sql,
    transaction,
    migrate: (room, migrations) =>
      transaction(() => {
        const row = sql.prepare('SELECT version FROM migrations WHERE room = ?').get(room);
        const done = row === undefined ? 0 : Number(row.version);
        if (done > migrations.length) throw new Error(`state of ${room} was written by a newer version`);
        if (done === migrations.length) return;
        for (const step of migrations.slice(done)) sql.exec(step);
        sql
          .prepare('INSERT INTO migrations VALUES (?, ?) ON CONFLICT (room) DO UPDATE SET version = excluded.version')
          .run(room, migrations.length);
      }),
    close: () => sql.close(),
  };
}

function openFile(path: string): DatabaseSync {
  try {
    const sql = new DatabaseSync(path);
    sql.exec(
      'PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON; PRAGMA busy_timeout = 5000;',
    );
    sql.exec('CREATE TABLE IF NOT EXISTS migrations (room TEXT PRIMARY KEY, version INTEGER NOT NULL) STRICT');
    return sql;
  } catch (error) {
    // SQLite calls it "disk I/O error" where its shared memory finds no room.
    const full = path !== ':memory:' && statfsSync(dirname(path)).bavail === 0 ? ' (the disk is full)' : '';
    throw unavailable(`cannot open the state database ${path}: ${messageOf(error)}${full}`, error);
  }
}
