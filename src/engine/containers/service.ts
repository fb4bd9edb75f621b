import type { Readable } from 'node:stream';
import {
  conflict,
  EngineError,
  type Filters,
  internal,
  invalid,
  type Logger,
  messageOf,
  newId,
  notFound,
  parseRfc3339Ns,
} from '../../common/index.ts';
import { applyChanges, type ImageStore } from '../../images/index.ts';
import type { LayerStore } from '../../layers/index.ts';
import type { NetworkService } from '../../network/index.ts';
import { type Cgroups, type Monitor, resourcesOf } from '../../runtime/index.ts';
import type { VolumeStore } from '../../volumes/index.ts';
import type { CreateContainerBody, UpdateContainerBody } from '../../wire/index.ts';
import type { AttachOptions, AttachSession, CommitOptions, ContainerService, LogService } from '../types.ts';
import type { Attachments } from './attachments.ts';
import type { Container, ContainerBook } from './book.ts';
import { mergeConfig } from './configure.ts';
import { type CreateParts, createContainer } from './create.ts';
import type { ContainerFiles } from './files.ts';
import { inspectAnswer } from './inspect.ts';
import type { Lifecycle } from './lifecycle.ts';
import { parseLink } from './link-names.ts';
import { type ListParts, listContainers } from './list.ts';
import { checkName } from './names.ts';
import type { Releases } from './release.ts';
import { dropVolumes, takeAway } from './removal.ts';
import type { Roots } from './roots.ts';
import { statsOf } from './stats.ts';
import { top } from './top.ts';
import { updatedHost } from './update.ts';

export interface ContainersParts extends CreateParts, ListParts {
  book: ContainerBook;
  images: ImageStore;
  layers: LayerStore;
  volumes: VolumeStore;
  networks: NetworkService;
  files: ContainerFiles;
  cgroups: Cgroups;
  monitor: Monitor;
  lifecycle: Lifecycle;
  releases: Releases;
  roots: Roots;
  attachments: Attachments;
  logs: LogService;
  /** Drops what other services keep of a container. */
  onRemoved: (id: string) => void;
  exportTree: (directory: string, signal: AbortSignal) => Readable;
  log: Logger;
}

const KIND = { C: 0, A: 1, D: 2 } as const;

/** The container commands of the API, each a few calls to the parts that do the work. */
export class Containers implements ContainerService {
  readonly #parts: ContainersParts;
  readonly #removalWaiters = new Map<string, Set<() => void>>();
  constructor(parts: ContainersParts) {
    this.#parts = parts;
  }

  async create(
    body: CreateContainerBody,
    options: { name?: string; platform?: string },
  ): Promise<{ Id: string; Warnings: string[] }> {
    const { container, warnings } = await createContainer(body, options, this.#parts);
    this.#parts.lifecycle.emit(container, 'create');
    return { Id: container.id, Warnings: warnings };
  }

  start(ref: string): Promise<void> {
    const container = this.#parts.book.get(ref);
    return container.exclusive(() => this.#parts.lifecycle.start(container));
  }
  stop(ref: string, options: { timeoutS?: number; stopSignal?: string }): Promise<void> {
    const container = this.#parts.book.get(ref);
    return prefixed(`cannot stop container: ${ref}`, () =>
      container.exclusive(() => this.#parts.lifecycle.stop(container, options)),
    );
  }
  restart(ref: string, options: { timeoutS?: number; stopSignal?: string }): Promise<void> {
    const container = this.#parts.book.get(ref);
    return prefixed(`Cannot restart container ${ref}`, () =>
      container.exclusive(() => this.#parts.lifecycle.restart(container, options)),
    );
  }
  /** Not queued: a kill must reach a container whose stop is waiting out its grace. */
  kill(ref: string, { stopSignal }: { stopSignal?: string }): Promise<void> {
    return prefixed(`cannot kill container: ${ref}`, () =>
      this.#parts.lifecycle.kill(this.#parts.book.get(ref), stopSignal),
    );
  }
  pause(ref: string): Promise<void> {
    const container = this.#parts.book.get(ref);
    return container.exclusive(() => this.#parts.lifecycle.pause(container));
  }
  unpause(ref: string): Promise<void> {
    const container = this.#parts.book.get(ref);
    return container.exclusive(() => this.#parts.lifecycle.unpause(container));
  }

  rename(ref: string, given: string): Promise<void> {
    const container = this.#parts.book.get(ref);
    return container.exclusive(async () => {
      if (given === '') throw invalid('Neither old nor new names may be empty');
      const oldName = container.name;
      if (given.replace(/^\//, '') === oldName)
        throw invalid('Renaming a container with the same name as its current name');
      const name = await prefixed('Error when allocating new name', async () => {
        const checked = checkName(given.startsWith('/') ? given : `/${given}`);
        this.#parts.book.rename(container, checked);
        return checked;
      });
      await this.#parts.networks.rename(container.id, name);
      this.#parts.lifecycle.emit(container, 'rename', { oldName: `/${oldName}` });
    });
  }

  async remove(ref: string, options: { force?: boolean; volumes?: boolean; link?: boolean }): Promise<void> {
    if (options.link) return this.#removeLink(ref);
    const container = this.#parts.book.get(ref);
    await container.exclusive(async () => {
      if (!this.#parts.book.has(container.id)) throw notFound(`No such container: ${ref}`);
      const refuse = (what: string) => conflict(`cannot remove container "${ref}": ${what}`);
      const { status } = container.state;
      if (!options.force) {
        if (status === 'paused') throw refuse('container is paused and must be unpaused first');
        if (status === 'running')
          throw refuse('container is running: stop the container before removing or force remove');
        if (status === 'restarting')
          throw refuse('container is restarting: stop the container before removing or force remove');
      }
      await this.#parts.lifecycle.killForRemoval(container);
      await this.erase(container, options.volumes === true, true);
    });
  }

  /** `rm --link web/db`: the link goes, the containers stay. */
  async #removeLink(path: string): Promise<void> {
    const { book, networks } = this.#parts;
    book.get(path);
    const [, parent = '', alias] = /^\/?([^/]+)(?:\/(.+))?$/.exec(path) ?? [];
    if (alias === undefined) throw internal('Conflict, cannot remove the default link name of the container');
    const container = book.get(parent);
    const links = container.record.host.Links ?? [];
    const gone = links.find((link) => parseLink(link).path === `/${parent}/${alias}`)!;
    container.record.host.Links = links.filter((link) => link !== gone);
    book.save(container);
    networks.unlink(container.id, gone);
  }

  /**
   * Takes a stopped container off the book, then off the machine. Volumes are part of what `rm -v` promises, so they go before anybody is told;
   * the rest may follow the answer (`waitForAll`: it does not).
   */
  async erase(container: Container, withVolumes: boolean, waitForAll = false): Promise<void> {
    const { book, networks, lifecycle, releases, images, log } = this.#parts;
    const { id, record } = container;
    if (!book.has(id)) return;
    this.#parts.attachments.abandon(id);
    this.#parts.onRemoved(id);
    await networks.closeSandbox(id);
    const held = record.mounts.filter(({ type }) => type === 'volume');
    const doomed = held.filter(({ anonymous }) => withVolumes && anonymous).map(({ source }) => source);
    book.remove(container, doomed);
    record.state.status = 'removing';
    await dropVolumes(
      id,
      held.map(({ source }) => source),
      doomed,
      this.#parts,
    ).catch((error: unknown) => log.warn('volumes of a removed container', { id, error }));
    const rest = releases.done(id).then(async () => {
      await takeAway({ id, volumes: doomed }, this.#parts);
      // Its image was removed before: nobody else would look at the layers that the container stood on.
      if (images.find(record.imageId) === undefined) await images.collect();
    });
    if (waitForAll) await rest;
    else lifecycle.track(rest.catch((error: unknown) => log.warn('removal', { id, error })));
    lifecycle.emit(container, 'destroy');
    for (const wake of this.#removalWaiters.get(id) ?? []) wake();
    this.#removalWaiters.delete(id);
  }

  async wait(
    ref: string,
    condition: 'not-running' | 'next-exit' | 'removed',
    signal: AbortSignal,
  ): Promise<{ result: Promise<{ StatusCode: number; Error?: { Message: string } }> }> {
    const container = this.#parts.book.get(ref);
    const answer = (StatusCode: number) => ({ StatusCode });
    const idle = !container.running && container.state.status !== 'restarting';
    if (condition === 'not-running' && idle) {
      const { exitCode, error } = container.state;
      // Only who asks later hears of a start that failed: others have its own answer.
      return { result: Promise.resolve({ ...answer(exitCode), ...(error ? { Error: { Message: error } } : {}) }) };
    }
    if (condition !== 'removed')
      return { result: this.#parts.lifecycle.nextExit(container.id, signal).then((code) => answer(code)) };
    const { promise, resolve } = Promise.withResolvers<void>();
    const set = this.#removalWaiters.get(container.id) ?? new Set();
    set.add(resolve);
    this.#removalWaiters.set(container.id, set);
    signal.addEventListener('abort', () => set.delete(resolve));
    return { result: promise.then(() => answer(container.state.exitCode)) };
  }

  list(options: Parameters<ContainerService['list']>[0]): Promise<Record<string, unknown>[]> {
    return listContainers(options, this.#parts);
  }

  async inspect(ref: string, options: { size?: boolean }): Promise<Record<string, unknown>> {
    const container = this.#parts.book.get(ref);
    if (!options.size) return inspectAnswer(container, this.#parts);
    const { rw, rootFs } = await this.#parts.usage(container.id);
    return inspectAnswer(container, this.#parts, { SizeRw: rw, SizeRootFs: rootFs });
  }

  async top(ref: string, psArgs: string): Promise<{ Titles: string[]; Processes: string[][] }> {
    const container = this.#running(ref);
    const answer = await top(await this.#parts.monitor.pids(container.id), psArgs);
    this.#parts.lifecycle.emit(container, 'top');
    return answer;
  }

  #running(ref: string): Container {
    const container = this.#parts.book.get(ref);
    if (container.state.status === 'restarting')
      throw conflict(`Container ${container.id} is restarting, wait until the container is running`);
    if (!container.running) throw conflict(`container ${container.id} is not running`);
    return container;
  }

  async resize(ref: string, size: { rows: number; columns: number }): Promise<void> {
    await this.#parts.monitor.resize(this.#running(ref).id, size);
    this.#parts.lifecycle.emit(this.#parts.book.get(ref), 'resize', {
      height: String(size.rows),
      width: String(size.columns),
    });
  }

  update(ref: string, body: UpdateContainerBody): Promise<{ Warnings: string[] }> {
    const container = this.#parts.book.get(ref);
    return container.exclusive(async () => {
      const { record } = container;
      const { limits, version } = this.#parts.cgroups;
      const { host, warnings } = updatedHost(record, body, limits);
      if (container.running) {
        const resources = resourcesOf(host, version);
        if (Object.keys(resources).length > 0) await this.#parts.monitor.update(container.id, resources);
      }
      record.host = host;
      this.#parts.book.save(container);
      this.#parts.lifecycle.emit(container, 'update');
      return { Warnings: warnings };
    });
  }

  async attach(ref: string, options: AttachOptions): Promise<AttachSession> {
    const container = this.#parts.book.get(ref);
    const replay = options.logs ? await this.#replay(container, options) : undefined;
    const live = options.stream
      ? await this.#parts.attachments.attach(container, options, () => this.#parts.lifecycle.emit(container, 'detach'))
      : undefined;
    this.#parts.lifecycle.emit(container, 'attach');
    if (replay === undefined && live !== undefined) return live;
    async function* both() {
      if (replay !== undefined) yield* replay;
      if (live !== undefined) yield* live.output;
    }
    return {
      tty: container.record.config.Tty === true,
      ...(live?.stdin === undefined ? {} : { stdin: live.stdin }),
      output: both(),
      close: () => live?.close(),
    };
  }

  async #replay(container: Container, options: AttachOptions) {
    const { output } = await this.#parts.logs.read(container.id, {
      follow: false,
      stdout: options.stdout,
      stderr: options.stderr,
      timestamps: false,
      tail: 'all',
      details: false,
      signal: new AbortController().signal,
    });
    return output;
  }

  stats(
    ref: string,
    options: { stream: boolean; oneShot: boolean; signal: AbortSignal },
  ): AsyncIterable<Record<string, unknown>> {
    return statsOf(this.#parts.book.get(ref), options, this.#parts);
  }

  async changes(ref: string): Promise<{ Path: string; Kind: 0 | 1 | 2 }[]> {
    const container = this.#parts.book.get(ref);
    return (await this.#parts.layers.changes(container.id)).map(({ path, kind }) => ({ Path: path, Kind: KIND[kind] }));
  }

  async prune(filters: Filters): Promise<{ ContainersDeleted: string[]; SpaceReclaimed: number }> {
    filters.allow(['until', 'label', 'label!']);
    const limit = filters.until();
    const deleted: string[] = [];
    let space = 0;
    for (const container of this.#parts.book.all()) {
      const { record, state } = container;
      if (container.running || state.status === 'restarting') continue;
      if (!filters.labels(record.config.Labels ?? {})) continue;
      if (limit !== undefined && parseRfc3339Ns(record.created) > limit) continue;
      try {
        const bytes = await this.#parts.layers.usage(container.id);
        await this.remove(container.id, {});
        space += bytes;
        deleted.push(container.id);
      } catch (error) {
        this.#parts.log.warn('prune', { id: container.id, error: messageOf(error) });
      }
    }
    return { ContainersDeleted: deleted, SpaceReclaimed: space };
  }

  async commit(ref: string, options: CommitOptions): Promise<{ Id: string }> {
    const container = this.#parts.book.get(ref);
    return container.exclusive(async () => {
      const pause = options.pause && container.state.status === 'running';
      if (pause) await this.#parts.lifecycle.pause(container);
      try {
        const own = container.record.config;
        const given = options.config ?? {};
        // What is asked for stands above the container's own, as a container's above its image's (moby daemon/commit.go).
        const config = Object.values(given).every((value) => value === undefined)
          ? applyChanges(own, options.changes)
          : mergeConfig(applyChanges({ ...given, Hostname: given.Hostname || own.Hostname }, options.changes), own);
        const image = await this.#parts.images.commit({
          snapshotId: container.id,
          parentImageId: container.record.imageId,
          config,
          repo: options.repo,
          tag: options.tag,
          author: options.author,
          comment: options.comment,
          createdBy: (own.Cmd ?? []).join(' '),
          signal: options.signal,
        });
        this.#parts.lifecycle.emit(container, 'commit', {
          imageID: image.id,
          imageRef: image.repoTags[0] ?? '',
          comment: options.comment ?? '',
        });
        return { Id: image.id };
      } finally {
        if (pause && container.state.status === 'paused') await this.#parts.lifecycle.unpause(container);
      }
    });
  }

  async export(ref: string, signal: AbortSignal): Promise<Readable> {
    const container = this.#parts.book.get(ref);
    const holder = `export-${newId()}`;
    const directory = await this.#parts.roots.hold(container.id, holder);
    const stream = this.#parts.exportTree(directory, signal);
    stream.once('close', () => this.#parts.lifecycle.track(this.#parts.roots.drop(container.id, holder)));
    this.#parts.lifecycle.emit(container, 'export');
    return stream;
  }
}

/** Says of a failure what it was that failed. */
async function prefixed<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof EngineError) throw new EngineError(error.kind, `${what}: ${error.message}`);
    throw error;
  }
}
