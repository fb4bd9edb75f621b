import { createHash } from 'node:crypto';
import { mkdir, readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { copyTree, removeTree, treeSize } from '../archive/index.ts';
import {
  conflict,
  EngineError,
  type Filters,
  invalid,
  isErrno,
  kindOf,
  type Logger,
  messageOf,
  newId,
  notFound,
  notGoBool,
  nowText,
  parseGoBool,
} from '../common/index.ts';
import type { Database } from '../state/index.ts';
import type { CreateVolumeBody, Volume } from '../wire/index.ts';
import { type Foreign, foreignVolumes } from './foreign.ts';
import { checkLocalOptions, hasMountsBelow, mountLocal, unmountLocal } from './local-mount.ts';
import { checkVolumeName } from './names.ts';
import { findPlugin, type VolumePlugin } from './plugin.ts';
import { Queues } from './queues.ts';
import { type VolumeRecord, VolumeRecords } from './records.ts';
import type { MountFor, MountUser, VolumeStore } from './types.ts';

export interface VolumesOptions {
  db: Database;
  dataRoot: string;
  /** Where volume plugins' sockets and specs are looked for. */
  pluginDirs: readonly string[];
  emit: (action: string, name: string, attributes: Record<string, string>) => void;
  log: Logger;
}

const ANONYMOUS = 'com.docker.volume.anonymous';
const LIST_FILTERS = ['dangling', 'driver', 'label', 'label!', 'name'];
/** No volume's name begins with a dot. */
const PASSING = '.removing-';

export const openVolumes = (options: VolumesOptions): VolumeStore => new Volumes(options);

class Volumes implements VolumeStore {
  readonly #records: VolumeRecords;
  readonly #options: VolumesOptions;
  readonly #root: string;
  readonly #queues = new Queues();
  readonly #fills = new Map<string, Promise<void>>();

  constructor(options: VolumesOptions) {
    this.#options = options;
    this.#records = new VolumeRecords(options.db);
    this.#root = join(options.dataRoot, 'volumes');
  }

  #directory(name: string): string {
    return join(this.#root, name);
  }
  #place(name: string): string {
    return join(this.#root, name, '_data');
  }
  #plugin(driver: string): Promise<VolumePlugin> {
    return findPlugin(driver, this.#options.pluginDirs);
  }
  #answer(
    record: VolumeRecord,
    plugin?: { mountpoint: string; scope: string; status?: Record<string, unknown> },
  ): Volume {
    const { name, driver, labels, options, created } = record;
    return {
      CreatedAt: created,
      Driver: driver,
      Labels: labels,
      Mountpoint: plugin?.mountpoint ?? (driver === 'local' ? this.#place(name) : ''),
      Name: name,
      Options: options,
      Scope: plugin?.scope ?? 'local',
      ...(plugin?.status === undefined ? {} : { Status: plugin.status }),
    };
  }
  #required(name: string): VolumeRecord {
    const record = this.#records.find(name);
    if (record === undefined) throw noSuchVolume(name);
    return record;
  }

  create(body: CreateVolumeBody): Promise<Volume> {
    const name = body.Name || newId();
    return this.#queues.run(name, () => this.#create(name, body));
  }

  async #create(name: string, body: CreateVolumeBody): Promise<Volume> {
    const driver = body.Driver || 'local';
    const existing = this.#records.find(name);
    if (existing !== undefined) {
      if (existing.driver === driver || !body.Driver) return this.#answer(existing);
      await this.#pluginFor(name, driver);
      throw conflict(
        `create ${name}: driver '${existing.driver}' already has volume '${name}': volume name must be unique`,
      );
    }
    const labels = { ...body.Labels, ...(body.Name ? {} : { [ANONYMOUS]: '' }) };
    const wanted = body.DriverOpts ?? {};
    const record: VolumeRecord = {
      name,
      driver,
      labels: sortedOrNull(labels),
      options: sortedOrNull(wanted),
      created: nowText().replace(/\.\d+Z$/, 'Z'),
    };
    checkVolumeName(name);
    if (driver === 'local') {
      checkLocalOptions(name, wanted);
      await mkdir(this.#directory(name), { recursive: true, mode: 0o701 });
      await mkdir(this.#place(name), { recursive: true, mode: 0o755 });
    } else {
      const plugin = await this.#pluginFor(name, driver);
      await inWordsOf(`create ${name}`, plugin.create(name, wanted));
    }
    this.#records.add(record);
    this.#options.emit('create', name, { driver });
    return this.#answer(record);
  }

  async #pluginFor(name: string, driver: string): Promise<VolumePlugin> {
    if (driver === 'local') throw conflict(`create ${name}: volume name must be unique`);
    return inWordsOf(`create ${name}: error looking up volume plugin ${driver}`, this.#plugin(driver));
  }

  async inspect(name: string): Promise<Volume> {
    const record = this.#records.find(name);
    if (record === undefined) {
      const found = (await this.#foreign()).volumes.find(({ volume }) => volume.name === name);
      if (found === undefined) throw noSuchVolume(name);
      return this.#foreignAnswer(found);
    }
    if (record.driver === 'local') return this.#answer(record);
    const plugin = await this.#plugin(record.driver);
    const volume = await plugin.get(name);
    if (volume === undefined) throw noSuchVolume(name);
    return this.#answer(record, { mountpoint: volume.mountpoint, scope: plugin.scope, status: volume.status });
  }

  find(name: string): Volume | undefined {
    const record = this.#records.find(name);
    return record === undefined ? undefined : this.#answer(record);
  }

  /** Volumes that plugins have and that were not made here. */
  #foreign(): ReturnType<typeof foreignVolumes> {
    return foreignVolumes(this.#options.pluginDirs, (name) => this.#records.find(name) !== undefined);
  }
  #foreignAnswer({ driver, scope, volume }: Foreign): Volume {
    const record = { name: volume.name, driver, labels: null, options: null, created: volume.created ?? '' };
    return this.#answer(record, { mountpoint: volume.mountpoint, scope, status: volume.status });
  }

  async list(filters: Filters): Promise<{ Volumes: Volume[]; Warnings: string[] }> {
    filters.allow(LIST_FILTERS);
    filters.bool('dangling');
    const { volumes, warnings } = await this.#foreign();
    const all = [
      ...this.#records.all().map((record) => this.#answer(record)),
      ...volumes.map((found) => this.#foreignAnswer(found)),
    ];
    const shown = all.filter((volume) => this.#matches(volume, filters)).sort((a, b) => (a.Name < b.Name ? -1 : 1));
    return { Volumes: shown, Warnings: warnings };
  }

  #matches(volume: Volume, filters: Filters): boolean {
    const dangling = filters.bool('dangling');
    if (dangling !== undefined && (this.holders(volume.Name).length === 0) !== dangling) return false;
    if (
      filters.has('name') &&
      !filters.get('name').some((pattern) => volume.Name.includes(pattern) || matchesExpression(pattern, volume.Name))
    )
      return false;
    return filters.exact('driver', volume.Driver) && filters.labels(volume.Labels ?? {});
  }

  remove(name: string, { force }: { force?: boolean }): Promise<void> {
    return this.#queues.run(name, () => this.#remove(name, force === true));
  }

  async #remove(name: string, force: boolean): Promise<void> {
    const record = this.#records.find(name);
    if (record === undefined) {
      if (force) return;
      throw noSuchVolume(name);
    }
    this.#refuseIfHeld(name);
    if (record.driver === 'local') {
      await unmountLocal(this.#place(name));
      if (await hasMountsBelow(this.#directory(name)))
        throw conflict(`remove ${name}: something is mounted below ${this.#place(name)}`);
    } else await this.#removeOfPlugin(record, force);
    // Between the last wait and here a container may have come.
    this.#refuseIfHeld(name);
    this.#records.remove(name);
    this.#options.emit('destroy', name, { driver: record.driver });
    if (record.driver === 'local') await this.#discard(name);
  }

  #refuseIfHeld(name: string): void {
    const held = this.holders(name);
    if (held.length > 0) throw conflict(`remove ${name}: volume is in use - [${held.join(', ')}]`);
  }

  async #removeOfPlugin({ name, driver }: VolumeRecord, force: boolean): Promise<void> {
    try {
      await (await this.#plugin(driver)).remove(name);
    } catch (error) {
      if (!force) throw wrapped(`remove ${name}`, error);
      this.#options.log.warn('volume plugin did not remove', { name, error: messageOf(error) });
    }
  }

  /** Out of sight at once; a deletion that is broken off goes on at the next start. Follows no link, crosses into no mount. */
  async #discard(name: string): Promise<void> {
    const passing = join(this.#root, `${PASSING}${newId().slice(0, 16)}`);
    try {
      await rename(this.#directory(name), passing);
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return;
      throw error;
    }
    await removeTree(passing);
  }

  async prune(filters: Filters): Promise<{ VolumesDeleted: string[]; SpaceReclaimed: number }> {
    filters.allow(['label', 'label!', 'all']);
    const all = allOf(filters);
    const deleted: string[] = [];
    let space = 0;
    for (const record of this.#records.all()) {
      const wanted =
        record.driver === 'local' &&
        (all || record.labels?.[ANONYMOUS] !== undefined) &&
        filters.labels(record.labels ?? {});
      if (!wanted || this.holders(record.name).length > 0) continue;
      try {
        const bytes = await this.#sizeOf(record);
        await this.remove(record.name, {});
        deleted.push(record.name);
        space += Math.max(0, bytes);
      } catch (error) {
        this.#options.log.warn('could not remove volume', { name: record.name, error: messageOf(error) });
      }
    }
    this.#options.emit('prune', '', { reclaimed: String(space) });
    return { VolumesDeleted: deleted, SpaceReclaimed: space };
  }

  isAnonymous(name: string): boolean {
    return this.#records.find(name)?.labels?.[ANONYMOUS] !== undefined;
  }
  isDirectory(name: string): boolean {
    const record = this.#records.find(name);
    return record?.driver === 'local' && record.options === null;
  }
  hold(name: string, containerId: string): void {
    this.#required(name);
    this.#records.use('volume_holds', name, containerId);
  }
  release(name: string, containerId: string): void {
    this.#records.drop('volume_holds', name, containerId);
  }
  holders(name: string): string[] {
    return this.#records.users('volume_holds', name);
  }

  async reconcile(containerExists: (id: string) => boolean): Promise<void> {
    for (const kind of ['volume_holds', 'volume_mounts'] as const)
      for (const { volume, container } of this.#records.uses(kind))
        if (!containerExists(container.split(':', 1)[0] ?? '')) this.#records.drop(kind, volume, container);
    await mkdir(this.#root, { recursive: true, mode: 0o701 });
    for (const name of await readdir(this.#root))
      if (name.startsWith(PASSING)) await removeTree(join(this.#root, name));
    for (const record of this.#records.all()) {
      if (record.driver !== 'local') continue;
      await mkdir(this.#place(record.name), { recursive: true, mode: 0o755 });
      if (record.options !== null && this.#records.users('volume_mounts', record.name).length === 0)
        await unmountLocal(this.#place(record.name));
    }
  }

  mount(name: string, user: MountUser, about?: MountFor): Promise<string> {
    return this.#queues.run(name, async () => {
      const record = this.#required(name);
      const path = await this.#realise(record, user);
      this.#records.use('volume_mounts', name, keyOf(user));
      if (about !== undefined) this.#options.emit('mount', name, mountAttributes(record.driver, user.id, about));
      return path;
    });
  }

  async #realise({ name, driver, options }: VolumeRecord, user: MountUser): Promise<string> {
    if (driver !== 'local') {
      const path = await inWordsOf(
        `error while mounting volume '${name}'`,
        this.#plugin(driver).then((plugin) => plugin.mount(name, pluginIdOf(keyOf(user)))),
      );
      if (path === '')
        throw wrapped(`error while mounting volume '${name}'`, new Error('the plugin gave no mount point'));
      return path;
    }
    if (options !== null) await mountLocal(this.#place(name), options);
    return this.#place(name);
  }

  unmount(name: string, user: MountUser): Promise<void> {
    return this.#queues.run(name, async () => {
      const record = this.#records.find(name);
      if (record === undefined) return;
      const { id, destination } = user;
      for (const key of this.#records.users('volume_mounts', name))
        if (destination === undefined ? key === id || key.startsWith(`${id}:`) : key === keyOf(user))
          await this.#unmount(record, key);
    });
  }

  async #unmount({ name, driver, options }: VolumeRecord, key: string): Promise<void> {
    this.#records.drop('volume_mounts', name, key);
    if (driver !== 'local') await (await this.#plugin(driver)).unmount(name, pluginIdOf(key));
    else if (options !== null && this.#records.users('volume_mounts', name).length === 0)
      await unmountLocal(this.#place(name));
    const [id = '', destination] = key.split(':', 2);
    if (destination !== undefined) this.#options.emit('unmount', name, { container: id, driver });
  }

  async populate(name: string, into: string, from: () => Promise<string | undefined>): Promise<void> {
    const before = this.#fills.get(name) ?? Promise.resolve();
    const work = before.catch(() => {}).then(() => this.#fill(name, into, from));
    this.#fills.set(name, work);
    try {
      await work;
    } finally {
      if (this.#fills.get(name) === work) this.#fills.delete(name);
    }
  }

  async #fill(name: string, into: string, from: () => Promise<string | undefined>): Promise<void> {
    const brokenOff = this.#records.fillState(name) === 'filling';
    if (!brokenOff && (await readdir(into)).length > 0) return;
    const source = await from();
    if (source === undefined) return;
    this.#records.setFillState(name, 'filling');
    await copyTree(source, into);
    this.#records.setFillState(name, 'filled');
  }

  async #sizeOf({ name, driver }: VolumeRecord): Promise<number> {
    return driver === 'local' ? treeSize(this.#place(name)).catch(() => -1) : -1;
  }

  usage(): Promise<Volume[]> {
    return Promise.all(
      this.#records.all().map(async (record) => ({
        ...this.#answer(record),
        UsageData: { RefCount: this.holders(record.name).length, Size: await this.#sizeOf(record) },
      })),
    );
  }
}

/** Shown by name, as Go does with maps. */
function sortedOrNull(map: Record<string, string>): Record<string, string> | null {
  const entries = Object.entries(map);
  return entries.length === 0 ? null : Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

const noSuchVolume = (name: string): EngineError => notFound(`get${name === '' ? '' : ` ${name}`}: no such volume`);

const keyOf = ({ id, destination }: MountUser): string => (destination === undefined ? id : `${id}:${destination}`);
/** The protocol wants one id for a mount and its unmount. */
const pluginIdOf = (key: string): string => createHash('sha256').update(key).digest('hex');

function mountAttributes(
  driver: string,
  container: string,
  { destination, readWrite, propagation }: MountFor,
): Record<string, string> {
  return { container, destination, driver, propagation, 'read/write': String(readWrite) };
}

const wrapped = (words: string, error: unknown): EngineError =>
  new EngineError(kindOf(error), `${words}: ${messageOf(error)}`, { cause: error });

async function inWordsOf<T>(words: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw wrapped(words, error);
  }
}

function allOf(filters: Filters): boolean {
  if (!filters.has('all')) return false;
  const values = filters.get('all').map((text) => {
    const value = parseGoBool(text);
    if (value === undefined) throw invalid(`invalid filter 'all': ${notGoBool(text)}`);
    return value;
  });
  if (values.length > 1)
    throw invalid(`invalid filter 'all=[${filters.get('all').join(' ')}]': only one value is expected`);
  return values[0] === true;
}

function matchesExpression(pattern: string, text: string): boolean {
  try {
    return new RegExp(pattern).test(text);
  } catch {
    return false;
  }
}
