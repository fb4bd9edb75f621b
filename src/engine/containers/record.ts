import { z } from 'zod';
import type { Database } from '../../state/index.ts';
import { ContainerConfig, EndpointSettings, HostConfig } from '../../wire/index.ts';

/** One mount as decided at create; the mount plan turns it into an OCI mount at start. */
export const MountRecord = z.object({
  type: z.enum(['bind', 'volume', 'tmpfs', 'image']),
  /** Host path (bind), volume name, image id; empty for tmpfs. */
  source: z.string(),
  destination: z.string(),
  /** An image as it was asked for. */
  name: z.string().optional(),
  driver: z.string().optional(),
  /** As given after the last colon of `-v`, for inspect. */
  mode: z.string(),
  rw: z.boolean(),
  propagation: z.string(),
  noCopy: z.boolean().optional(),
  subpath: z.string().optional(),
  nonRecursive: z.boolean().optional(),
  readonlyNonRecursive: z.boolean().optional(),
  /** `bind-recursive=readonly`: an error where it contradicts the other options. */
  readonlyForced: z.boolean().optional(),
  tmpfsOptions: z.string().optional(),
  /** Shown in HostConfig.Mounts, not in Binds. */
  anonymous: z.boolean().optional(),
  createHostPath: z.boolean().optional(),
  /** User of the container whom the source's owner becomes (`bind-idmap`); empty: the container's own. */
  idMapUser: z.string().optional(),
});
export type MountRecord = z.infer<typeof MountRecord>;

export const StateRecord = z.object({
  status: z.enum(['created', 'running', 'paused', 'restarting', 'removing', 'exited', 'dead']),
  pid: z.number(),
  exitCode: z.number(),
  error: z.string(),
  startedAt: z.string(),
  finishedAt: z.string(),
  oomKilled: z.boolean(),
  restartCount: z.number(),
  /** Stopped by a person: `unless-stopped` then leaves it down. */
  stoppedByUser: z.boolean(),
  /** Of a container with a health check, since its first start. */
  health: z
    .object({
      Status: z.enum(['none', 'starting', 'healthy', 'unhealthy']),
      FailingStreak: z.number(),
      Log: z.array(z.object({ Start: z.string(), End: z.string(), ExitCode: z.number(), Output: z.string() })),
    })
    .optional(),
});
export type StateRecord = z.infer<typeof StateRecord>;

/** Everything of a container that survives the daemon. */
export const ContainerRecord = z.object({
  id: z.string(),
  name: z.string(),
  created: z.string(),
  imageId: z.string(),
  chainId: z.string().optional(),
  platform: z.string(),
  config: ContainerConfig,
  host: HostConfig,
  /** Requested endpoints by network name, in order. */
  endpoints: z.record(z.string(), EndpointSettings),
  mounts: z.array(MountRecord),
  /** Runtime taken at create. */
  runtime: z.string(),
  cgroupsPath: z.string(),
  state: StateRecord,
});
export type ContainerRecord = z.infer<typeof ContainerRecord>;

/** A container that is being made or removed: what a crash in between leaves is taken away by the next daemon. */
export interface Unfinished {
  id: string;
  /** Anonymous volumes that go with it. */
  volumes: string[];
}

/**
 * The tables of containers. Reads validate; writes are on disk when they return. A container is `begun` before anything of it is made, and
 * `ended` after the last of it is gone; in between stands its record.
 */
export interface ContainerTable {
  load(): ContainerRecord[];
  save(record: ContainerRecord): void;
  begin(unfinished: Unfinished): void;
  /** The container is whole: its record takes the place of what was begun. */
  complete(record: ContainerRecord): void;
  /** The record goes, and what it says must be taken away stays until `end`. */
  remove(unfinished: Unfinished): void;
  end(id: string): void;
  unfinished(): Unfinished[];
}

const Names = z.array(z.string());

export function openContainerTable(db: Database): ContainerTable {
  db.migrate('engine', [
    'CREATE TABLE containers (id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, record TEXT NOT NULL) STRICT',
    'CREATE TABLE unfinished_containers (id TEXT PRIMARY KEY, volumes TEXT NOT NULL) STRICT',
  ]);
  const upsert = db.sql.prepare(
    'INSERT INTO containers VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET name = excluded.name, record = excluded.record',
  );
  const remove = db.sql.prepare('DELETE FROM containers WHERE id = ?');
  const all = db.sql.prepare('SELECT record FROM containers');
  const begin = db.sql.prepare(
    'INSERT INTO unfinished_containers VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET volumes = excluded.volumes',
  );
  const end = db.sql.prepare('DELETE FROM unfinished_containers WHERE id = ?');
  const unfinished = db.sql.prepare('SELECT id, volumes FROM unfinished_containers');
  const save = (record: ContainerRecord) => void upsert.run(record.id, record.name, JSON.stringify(record));
  return {
    load: () => all.all().map((row) => ContainerRecord.parse(JSON.parse(String(row.record)))),
    save,
    begin: ({ id, volumes }) => void begin.run(id, JSON.stringify(volumes)),
    complete: (record) =>
      db.transaction(() => {
        save(record);
        end.run(record.id);
      }),
    remove: ({ id, volumes }) =>
      db.transaction(() => {
        remove.run(id);
        begin.run(id, JSON.stringify(volumes));
      }),
    end: (id) => void end.run(id),
    unfinished: () =>
      unfinished.all().map((row) => ({ id: String(row.id), volumes: Names.parse(JSON.parse(String(row.volumes))) })),
  };
}
