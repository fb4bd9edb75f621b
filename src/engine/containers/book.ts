import { conflict, invalid, isFullId, notFound } from '../../common/index.ts';
import { parseLink, renamed } from './link-names.ts';
import type { ContainerRecord, ContainerTable, StateRecord, Unfinished } from './record.ts';

/** A container in memory: its record and the queue in which its operations wait for one another. */
export class Container {
  record: ContainerRecord;
  #tail: Promise<unknown> = Promise.resolve();

  constructor(record: ContainerRecord) {
    this.record = record;
  }
  get id(): string {
    return this.record.id;
  }
  get name(): string {
    return this.record.name;
  }
  get state(): StateRecord {
    return this.record.state;
  }
  get running(): boolean {
    return this.state.status === 'running' || this.state.status === 'paused';
  }

  /** One operation at a time, in the order of asking. */
  exclusive<T>(operation: () => Promise<T>): Promise<T> {
    const result = this.#tail.then(operation, operation);
    this.#tail = result.catch(() => {});
    return result;
  }
}

/** All containers, by id, name and prefix. Write-through: what is changed here is on disk. */
export class ContainerBook {
  readonly #table: ContainerTable;
  readonly #byId = new Map<string, Container>();
  readonly #names = new Map<string, string>();
  #newestFirst: Container[] | undefined;
  constructor(table: ContainerTable) {
    this.#table = table;
    for (const record of table.load()) {
      this.#byId.set(record.id, new Container(record));
      this.#names.set(record.name, record.id);
    }
  }

  /** By full id, name, name of a link (`web/db`), or unique id prefix (moby daemon/container.go GetContainer). */
  get(ref: string): Container {
    const found = this.find(ref);
    if (found === undefined) throw notFound(`No such container: ${ref}`);
    return found;
  }

  find(ref: string): Container | undefined {
    if (ref === '') throw invalid('invalid name or ID supplied: ""');
    const name = ref.replace(/^\//, '');
    const exact = this.#byId.get(ref) ?? this.#byId.get(this.#names.get(name) ?? '') ?? this.#linked(name);
    if (exact !== undefined || isFullId(ref) || !/^[0-9a-f]+$/.test(ref)) return exact;
    let found: Container | undefined;
    for (const [id, container] of this.#byId) {
      if (!id.startsWith(ref)) continue;
      if (found !== undefined) throw invalid(`Multiple IDs found with provided prefix: ${ref}`);
      found = container;
    }
    return found;
  }

  #linked(name: string): Container | undefined {
    const cut = name.indexOf('/');
    const parent = cut < 0 ? undefined : this.#byId.get(this.#names.get(name.slice(0, cut)) ?? '');
    const links = (parent?.record.host.Links ?? []).map(parseLink);
    const link = links.find(({ path }) => path === `/${name}`);
    return link === undefined ? undefined : this.#byId.get(this.#names.get(link.target) ?? '');
  }

  /** Newest first. */
  all(): readonly Container[] {
    this.#newestFirst ??= [...this.#byId.values()].sort((a, b) => (a.record.created < b.record.created ? 1 : -1));
    return this.#newestFirst;
  }

  has(id: string): boolean {
    return this.#byId.has(id);
  }

  idOfName(name: string): string | undefined {
    return this.#names.get(name);
  }

  /** Takes a name before the container is made, so that two creates cannot both have it. */
  reserve(name: string, id: string): void {
    const holder = this.#names.get(name);
    if (holder !== undefined)
      throw conflict(
        `Conflict. The container name "/${name}" is already in use by container "${holder}". You have to remove (or rename) that container to be able to reuse that name.`,
      );
    this.#names.set(name, id);
  }
  unreserve(name: string): void {
    this.#names.delete(name);
  }

  /** Notes that a container of this id is being made. */
  begin(id: string, volumes: string[]): void {
    this.#table.begin({ id, volumes });
  }

  add(record: ContainerRecord): Container {
    this.#table.complete(record);
    const container = new Container(record);
    this.#byId.set(record.id, container);
    this.#names.set(record.name, record.id);
    this.#newestFirst = undefined;
    return container;
  }

  save(container: Container): void {
    if (this.#byId.has(container.id)) this.#table.save(container.record);
  }

  setState(container: Container, change: Partial<StateRecord>): void {
    container.record.state = { ...container.record.state, ...change };
    this.save(container);
  }

  rename(container: Container, name: string): void {
    this.reserve(name, container.id);
    const oldName = container.name;
    this.#names.delete(oldName);
    container.record.name = name;
    this.save(container);
    for (const other of this.all()) {
      const links = other.record.host.Links ?? [];
      const now = renamed(links, oldName, name);
      if (now.every((link, index) => link === links[index])) continue;
      other.record.host.Links = now;
      this.save(other);
    }
  }

  /** Takes a container off the book; `forget` once nothing of it is left on the machine. */
  remove(container: Container, volumes: string[]): void {
    this.#table.remove({ id: container.id, volumes });
    this.#byId.delete(container.id);
    this.#names.delete(container.name);
    this.#newestFirst = undefined;
  }
  forget(id: string): void {
    this.#table.end(id);
  }
  /** What a crash left half made or half removed. */
  unfinished(): Unfinished[] {
    return this.#table.unfinished();
  }
}
