import { lstat, mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import {
  conflict,
  type Filters,
  invalid,
  isErrno,
  type Logger,
  messageOf,
  newId,
  notFound,
  nowText,
} from '../common/index.ts';
import type { Database } from '../state/index.ts';
import { mounts, unmount } from '../sys/index.ts';
import type { CreateVolumeBody, Volume } from '../wire/index.ts';
import { checkLocalOptions, mountLocal } from './local-options.ts';
import { checkVolumeName } from './names.ts';
import { findPlugin, type VolumePlugin } from './plugin.ts';
import type { VolumeStore } from './types.ts';

export interface VolumesOptions {
  db: Database;
  dataRoot: string;
  /** Where volume plugins' sockets and specs are looked for. */
  pluginDirs: readonly string[];
  copyTree: (from: string, to: string, signal?: AbortSignal) => Promise<void>;
  treeSize: (path: string) => Promise<number>;
  emit: (action: string, name: string, attributes: Record<string, string>) => void;
  log: Logger;
}

const ANONYMOUS = 'com.docker.volume.anonymous';
const SCHEMA = `
  CREATE TABLE volumes (name TEXT PRIMARY KEY, driver TEXT NOT NULL, labels TEXT, options TEXT, created TEXT NOT NULL, filled INTEGER NOT NULL DEFAULT 0) STRICT;
  CREATE TABLE volume_holds (volume TEXT NOT NULL, container TEXT NOT NULL, PRIMARY KEY (volume, container)) STRICT;`;

interface Row {
  name: string;
  driver: string;
  labels: Record<string, string> | null;
  options: Record<string, string> | null;
  created: string;
}

export function openVolumes(options: VolumesOptions): VolumeStore {
  const { db, dataRoot, emit, log } = options;
  db.migrate('volumes', [SCHEMA]);
  const root = join(dataRoot, 'volumes');
  const sql = {
    one: db.sql.prepare('SELECT * FROM volumes WHERE name = ?'),
    all: db.sql.prepare('SELECT * FROM volumes ORDER BY name'),
    insert: db.sql.prepare('INSERT INTO volumes (name, driver, labels, options, created) VALUES (?, ?, ?, ?, ?)'),
    remove: db.sql.prepare('DELETE FROM volumes WHERE name = ?'),
    filled: db.sql.prepare('UPDATE volumes SET filled = 1 WHERE name = ?'),
    hold: db.sql.prepare('INSERT OR IGNORE INTO volume_holds VALUES (?, ?)'),
    release: db.sql.prepare('DELETE FROM volume_holds WHERE volume = ? AND container = ?'),
    holders: db.sql.prepare('SELECT container FROM volume_holds WHERE volume = ? ORDER BY rowid'),
    holds: db.sql.prepare('SELECT volume, container FROM volume_holds'),
  };
  /** Containers that have a volume mounted, for drivers and options that mount at first use. */
  const users = new Map<string, Set<string>>();
  const fills = new Map<string, Promise<void>>();

  const parse = (row: Record<string, unknown>): Row => ({
    name: String(row.name),
    driver: String(row.driver),
    labels: row.labels === null ? null : (JSON.parse(String(row.labels)) as Record<string, string>),
    options: row.options === null ? null : (JSON.parse(String(row.options)) as Record<string, string>),
    created: String(row.created),
  });
  const rowOf = (name: string): Row | undefined => {
    const row = sql.one.get(name);
    return row === undefined ? undefined : parse(row);
  };
  const directory = (name: string) => join(root, name);
  const place = (name: string) => join(root, name, '_data');
  const answer = (row: Row, mountpoint = place(row.name)): Volume => ({
    CreatedAt: row.created,
    Driver: row.driver,
    Labels: row.labels,
    Mountpoint: mountpoint,
    Name: row.name,
    Options: row.options,
    Scope: 'local',
  });
  const required = (name: string): Row => {
    const row = rowOf(name);
    if (row === undefined) throw notFound(`get ${name}: no such volume`);
    return row;
  };
  const plugin = (driver: string): Promise<VolumePlugin> => findPlugin(driver, options.pluginDirs);
  const holders = (name: string): string[] => sql.holders.all(name).map((row) => String(row.container));

  async function create(body: CreateVolumeBody): Promise<Volume> {
    const name = body.Name || newId();
    const driver = body.Driver || 'local';
    const wanted = body.DriverOpts ?? {};
    if (body.Name) {
      if (name.length < 2)
        throw invalid(`create ${name}: volume name is too short, names should be at least two alphanumeric characters`);
      checkVolumeName(name);
    }
    const existing = rowOf(name);
    if (existing !== undefined) {
      if (existing.driver !== driver)
        throw conflict(
          `create ${name}: conflict: volume name must be unique: driver of existing volume ${existing.driver} differs from ${driver}`,
        );
      return answer(existing);
    }
    const labels = { ...body.Labels, ...(body.Name ? {} : { [ANONYMOUS]: '' }) };
    const given = {
      labels: Object.keys(labels).length === 0 ? null : labels,
      options: Object.keys(wanted).length === 0 ? null : wanted,
    };
    if (driver === 'local') {
      if (given.options !== null) checkLocalOptions(name, wanted);
      await mkdir(place(name), { recursive: true, mode: 0o755 });
    } else {
      const found = await plugin(driver).catch((error: unknown) => {
        throw notFound(`create ${name}: error looking up volume plugin ${driver}: ${messageOf(error)}`);
      });
      await found.create(name, wanted);
    }
    const row: Row = { name, driver, ...given, created: nowText().replace(/\.\d+Z$/, 'Z') };
    sql.insert.run(
      name,
      driver,
      row.labels === null ? null : JSON.stringify(row.labels),
      row.options === null ? null : JSON.stringify(row.options),
      row.created,
    );
    emit('create', name, { driver });
    return answer(row);
  }

  async function remove(name: string, { force }: { force?: boolean }): Promise<void> {
    const row = rowOf(name);
    if (row === undefined) {
      if (force) return;
      throw notFound(`get ${name}: no such volume`);
    }
    const held = holders(name);
    if (held.length > 0) throw conflict(`remove ${name}: volume is in use - [${held.join(', ')}]`);
    if (row.driver === 'local') {
      for (const { target } of await mounts())
        if (target === place(name) || target.startsWith(`${place(name)}/`)) unmount(target);
      // The name was checked when it was made: one part, no dots that lead out. rm does not follow links and the mounts are gone.
      await rm(directory(name), { recursive: true, force: true });
    } else
      await plugin(row.driver)
        .then((found) => found.remove(name))
        .catch((error: unknown) => {
          if (!force) throw error;
          log.warn('volume plugin did not remove', { name, error: messageOf(error) });
        });
    sql.remove.run(name);
    emit('destroy', name, { driver: row.driver });
  }

  async function mountVolume(name: string, containerId: string): Promise<string> {
    const row = required(name);
    const set = users.get(name) ?? new Set();
    const first = set.size === 0;
    set.add(containerId);
    users.set(name, set);
    emit('mount', name, {
      container: containerId,
      destination: '',
      driver: row.driver,
      propagation: '',
      'read/write': 'true',
    });
    if (row.driver !== 'local') return (await plugin(row.driver)).mount(name, containerId);
    if (row.options !== null && first && !(await mounts()).some(({ target }) => target === place(name))) {
      try {
        await mountLocal(place(name), row.options);
      } catch (error) {
        set.delete(containerId);
        throw invalid(
          `error while mounting volume '${place(name)}': failed to mount local volume: ${messageOf(error)}`,
        );
      }
    }
    return place(name);
  }

  async function unmountVolume(name: string, containerId: string): Promise<void> {
    const row = rowOf(name);
    const set = users.get(name);
    if (row === undefined || set === undefined || !set.delete(containerId)) return;
    emit('unmount', name, { container: containerId, driver: row.driver });
    if (row.driver !== 'local') return (await plugin(row.driver)).unmount(name, containerId);
    if (row.options !== null && set.size === 0 && (await mounts()).some(({ target }) => target === place(name)))
      unmount(place(name));
  }

  async function populate(name: string, from: string, signal?: AbortSignal): Promise<void> {
    const running = fills.get(name);
    if (running !== undefined) return running;
    const row = sql.one.get(name);
    if (row === undefined || Number(row.filled) === 1 || row.driver !== 'local' || row.options !== null) return;
    const work = (async () => {
      if ((await readdir(place(name))).length === 0) await options.copyTree(from, place(name), signal);
      sql.filled.run(name);
    })().finally(() => fills.delete(name));
    fills.set(name, work);
    return work;
  }

  function matches(row: Row, filters: Filters): boolean {
    const dangling = filters.bool('dangling');
    if (dangling !== undefined && (holders(row.name).length === 0) !== dangling) return false;
    if (
      filters.has('name') &&
      !filters.get('name').some((pattern) => row.name.includes(pattern) || safeMatch(pattern, row.name))
    )
      return false;
    return filters.exact('driver', row.driver) && filters.labels(row.labels ?? {});
  }
  const rows = (): Row[] => sql.all.all().map(parse);

  return {
    create,
    remove,
    holders,
    async inspect(name) {
      const row = required(name);
      if (row.driver === 'local') return answer(row);
      const { mountpoint, status } = await (await plugin(row.driver)).get(name);
      return { ...answer(row, mountpoint), ...(status === undefined ? {} : { Status: status }) };
    },
    find(name) {
      const row = rowOf(name);
      return row === undefined ? undefined : answer(row);
    },
    async list(filters) {
      filters.allow(['dangling', 'driver', 'label', 'label!', 'name']);
      return {
        Volumes: rows()
          .filter((row) => matches(row, filters))
          .map((row) => answer(row)),
        Warnings: [],
      };
    },
    async prune(filters) {
      filters.allow(['label', 'label!', 'all']);
      const all = filters.bool('all') === true;
      const deleted: string[] = [];
      let space = 0;
      for (const row of rows()) {
        if (holders(row.name).length > 0 || !filters.labels(row.labels ?? {})) continue;
        if (!all && row.labels?.[ANONYMOUS] === undefined) continue;
        const bytes = row.driver === 'local' ? await options.treeSize(place(row.name)) : 0;
        try {
          await remove(row.name, {});
          deleted.push(row.name);
          space += bytes;
        } catch (error) {
          log.warn('volume prune', { name: row.name, error: messageOf(error) });
        }
      }
      return { VolumesDeleted: deleted, SpaceReclaimed: space };
    },
    isAnonymous: (name) => rowOf(name)?.labels?.[ANONYMOUS] !== undefined,
    hold: (name, containerId) => void sql.hold.run(name, containerId),
    release: (name, containerId) => void sql.release.run(name, containerId),
    async reconcile(containerExists) {
      for (const row of sql.holds.all())
        if (!containerExists(String(row.container))) sql.release.run(String(row.volume), String(row.container));
      await mkdir(root, { recursive: true, mode: 0o701 });
      // A directory without a row is half of a create; anything else at the root is not ours to touch.
      for (const name of await readdir(root)) {
        const info = await lstat(join(root, name));
        if (!info.isDirectory() || rowOf(name) !== undefined) continue;
        const empty = await readdir(join(root, name, '_data')).then(
          (names) => names.length === 0,
          (error: unknown) => isErrno(error, 'ENOENT'),
        );
        if (empty) await rm(directory(name), { recursive: true, force: true });
      }
      for (const row of rows()) {
        const held = holders(row.name);
        const mounted = await stat(place(row.name)).then(
          () => true,
          () => false,
        );
        if (held.length > 0 && mounted) users.set(row.name, new Set(held));
      }
    },
    mount: mountVolume,
    unmount: unmountVolume,
    populate,
    async usage() {
      return Promise.all(
        rows().map(async (row) => ({
          ...answer(row),
          UsageData: {
            Size: row.driver === 'local' ? await options.treeSize(place(row.name)).catch(() => -1) : -1,
            RefCount: holders(row.name).length,
          },
        })),
      );
    },
  };
}

function safeMatch(pattern: string, text: string): boolean {
  try {
    return new RegExp(pattern).test(text);
  } catch {
    return false;
  }
}
