import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { packDirectory } from '../archive/index.ts';
import type { BuildService, StepRunner } from '../build/index.ts';
import type { Logger } from '../common/index.ts';
import type { ImageStore, ImageUsers } from '../images/index.ts';
import type { LayerStore } from '../layers/index.ts';
import type { NetworkService } from '../network/index.ts';
import { ALL_CAPABILITIES, type Cgroups, type Monitor, type RuntimeChoice } from '../runtime/index.ts';
import type { Database } from '../state/index.ts';
import type { VolumeStore } from '../volumes/index.ts';
import type { HostConfig } from '../wire/index.ts';
import { Archive } from './archive.ts';
import { Attachments } from './containers/attachments.ts';
import { ContainerBook } from './containers/book.ts';
import { availableCapabilities } from './containers/devices.ts';
import { hostsText, openContainerFiles } from './containers/files.ts';
import { InitLayers } from './containers/init-layer.ts';
import { Lifecycle } from './containers/lifecycle.ts';
import { environmentOfLinks, environmentOfLiveLinks } from './containers/links.ts';
import { dropPins, pinned } from './containers/pins.ts';
import { imageSnapshot } from './containers/places.ts';
import { openContainerTable } from './containers/record.ts';
import { Releases } from './containers/release.ts';
import { takeAway } from './containers/removal.ts';
import { Roots } from './containers/roots.ts';
import { Containers } from './containers/service.ts';
import { dropShm, shmOwners } from './containers/shm.ts';
import { dropCopyPlaces } from './copy-place.ts';
import { Execs } from './execs.ts';
import { Health } from './health.ts';
import { LogFiles } from './logs/files.ts';
import { startRotation } from './logs/rotator.ts';
import { Logs } from './logs/service.ts';
import { NetworkUseCases } from './networks.ts';
import { createStepRunner } from './steps.ts';
import type { Engine, EventBus, SystemService } from './types.ts';

export interface EngineDefaults {
  /** Name of the runtime for containers that ask for none. */
  runtime: string;
  logDriver: string;
  logOptions: Record<string, string>;
  cgroupParent: string | undefined;
  dns: string[];
  dnsSearch: string[];
  dnsOptions: string[];
  ulimits: HostConfig['Ulimits'];
  shmSize: number;
  /** Seconds that a stop at shutdown waits for each container. */
  shutdownTimeoutS: number;
}

export interface EngineParts {
  db: Database;
  dataRoot: string;
  execRoot: string;
  layers: LayerStore;
  networks: NetworkService;
  volumes: VolumeStore;
  events: EventBus;
  monitor: Monitor;
  cgroups: Cgroups;
  runtimes: ReadonlyMap<string, RuntimeChoice>;
  defaults: EngineDefaults;
  /** The program of `--init`; undefined if there is none. */
  initPath: string | undefined;
  /** Images ask who uses them, builds run steps: both are opened by the engine's own means. */
  openImages: (users: ImageUsers) => Promise<ImageStore>;
  openBuild: (parts: { images: ImageStore; runner: StepRunner }) => Promise<BuildService>;
  /** Info and usage count containers. */
  openSystem: (parts: {
    images: ImageStore;
    containers: Containers;
    build: BuildService;
    counts: () => { running: number; paused: number; stopped: number };
  }) => SystemService;
  log: Logger;
}

export interface OpenedEngine {
  engine: Engine;
  /** A running container's /etc/hosts is written anew (its links moved). */
  refreshHosts(containerId: string, hosts: readonly { ip: string; names: readonly string[] }[]): Promise<void>;
  /** Adopts what the last daemon left; before the first request. */
  reconcile(): Promise<void>;
  close(options: { stopContainers: boolean }): Promise<void>;
}

/** Wires the engine's services. Each gets the few parts it uses. */
export async function openEngine(parts: EngineParts): Promise<OpenedEngine> {
  const { db, dataRoot, execRoot, layers, networks, volumes, events, monitor, cgroups, runtimes, defaults, log } =
    parts;
  const book = new ContainerBook(openContainerTable(db));
  const files = openContainerFiles(dataRoot);
  const capabilities = availableCapabilities(ALL_CAPABILITIES);
  const runtime = runtimes.get(defaults.runtime);
  if (runtime === undefined) throw new Error(`no such runtime: ${defaults.runtime}`);

  const images = await parts.openImages({
    containersOf: (imageId) =>
      book
        .all()
        .filter(
          ({ record }) =>
            record.imageId === imageId ||
            record.mounts.some(({ type, source }) => type === 'image' && source === imageId),
        )
        .map((container) => ({ id: container.id, name: container.name, running: container.running })),
  });
  const build = await parts.openBuild({
    images,
    runner: createStepRunner({
      networks,
      monitor,
      cgroups,
      runtime,
      execRoot,
      availableCapabilities: capabilities,
      log: log.with({ part: 'build' }),
    }),
  });

  const roots = new Roots(layers);
  const releases = new Releases({ monitor, networks, volumes, layers, roots, execRoot, log });
  const attachments = new Attachments(monitor);
  const logFiles = new LogFiles();
  const logs = new Logs({ book, files: logFiles, logPath: files.logPath });
  const execs: Execs = new Execs({
    book,
    monitor,
    availableCapabilities: capabilities,
    ulimits: parts.defaults.ulimits,
    linkEnvironment: (record) => environmentOfLiveLinks(record, book, networks),
    emit: (container, action, attributes) => lifecycle.emit(container, action, attributes),
  });
  const health: Health = new Health({
    book,
    execs,
    monitor,
    emit: (container, action, attributes) => lifecycle.emit(container, action, attributes),
    onUnhealthy: (container, action) => {
      const work =
        action === 'kill'
          ? lifecycle.kill(container, 'SIGKILL')
          : container.exclusive(() =>
              action === 'stop' ? lifecycle.stop(container, {}) : lifecycle.restart(container, {}),
            );
      lifecycle.track(
        work.catch((error: unknown) => log.warn('health-on-failure', { id: container.id, action, error })),
      );
    },
    log,
  });
  const lifecycle: Lifecycle = new Lifecycle({
    book,
    files,
    layers,
    roots,
    releases,
    networks,
    volumes,
    monitor,
    cgroups,
    runtimes,
    attachments,
    events,
    log,
    execRoot,
    initPath: parts.initPath,
    availableCapabilities: capabilities,
    defaults: {
      dns: defaults.dns,
      dnsSearch: defaults.dnsSearch,
      dnsOptions: defaults.dnsOptions,
      ulimits: defaults.ulimits,
      shmSize: defaults.shmSize,
    },
    mountImage: async (imageId, containerId) => {
      const image = images.resolve(imageId);
      const snapshot = imageSnapshot(containerId, imageId);
      if (!layers.snapshots().some(({ id }) => id === snapshot))
        await layers.createSnapshot(snapshot, { parent: image.chainId, owner: 'container' });
      return layers.mount(snapshot, { readonly: true });
    },
    linkEnvironment: (record) => environmentOfLinks(record, book, networks),
    onStarted: (container) => health.started(container),
    onAdopted: (container) => health.adopted(container),
    onEnded: (container) => health.ended(container),
    autoRemove: async (container) => containers.erase(container, true),
  });
  const containers: Containers = new Containers({
    initLayers: new InitLayers(layers),
    book,
    images,
    layers,
    volumes,
    networks,
    files,
    cgroups,
    monitor,
    lifecycle,
    releases,
    roots,
    attachments,
    logs,
    runtimes,
    log,
    defaults,
    health: (id) => health.of(id),
    execIds: (id) => execs.idsOf(id),
    logPath: files.logPath,
    directory: files.directory,
    volumePath: (name) => volumes.find(name)?.Mountpoint ?? join(dataRoot, 'volumes', name, '_data'),
    graph: (id) => layers.paths(id),
    networkId: (name) => networks.resolve(name).id,
    usage: async (id) => {
      const rw = await layers.usage(id).catch(() => 0);
      const image = images.find(book.find(id)?.record.imageId ?? '');
      const below = image === undefined ? 0 : layerBytes(layers, image.chainId);
      return { rw, rootFs: rw + below };
    },
    onRemoved: (id) => {
      health.forget(id);
      execs.forget(id);
      logFiles.forget(files.logPath(id));
    },
    exportTree: (directory, signal) => packDirectory(directory, '/', { as: '', signal }),
  });
  const counts = () => {
    const all = book.all();
    const running = all.filter(({ state }) => state.status === 'running').length;
    const paused = all.filter(({ state }) => state.status === 'paused').length;
    return { running, paused, stopped: all.length - running - paused };
  };
  const system = parts.openSystem({ images, containers, build, counts });
  const rotation = startRotation({
    book,
    files: logFiles,
    logPath: files.logPath,
    controlPath: (id) => join(execRoot, 'b', id, 'ctl'),
    log,
  });

  return {
    engine: {
      containers,
      execs,
      logs,
      images,
      volumes,
      events,
      system,
      build,
      archive: new Archive({
        book,
        files,
        roots,
        volumes,
        execRoot,
        emit: (container, action) => lifecycle.emit(container, action),
      }),
      networks: new NetworkUseCases({ book, networks, files, events }),
    },
    refreshHosts: async (id, hosts) => files.writeHosts(id, hostsText(hosts)),
    async reconcile() {
      const mine = (id: string) =>
        book.has(id) || [...book.all()].some((container) => id.startsWith(`${container.id}-image-`));
      const alive = (id: string) => book.find(id)?.running === true;
      await rm(join(execRoot, 'steps'), { recursive: true, force: true });
      await mkdir(execRoot, { recursive: true });
      for (const unfinished of book.unfinished())
        await takeAway(unfinished, { book, monitor, layers, volumes, files }).catch((error: unknown) =>
          log.warn('removal', { id: unfinished.id, error }),
        );
      for (const id of await monitor.list())
        if (!book.has(id)) await monitor.delete(id).catch((error: unknown) => log.warn('stale bundle', { id, error }));
      await layers.reconcile((id) => alive(id) || (mine(id) && alive(id.slice(0, 64))));
      for (const { id, owner } of layers.snapshots())
        if (owner === 'container' && !mine(id)) await layers.removeSnapshot(id);
      await dropCopyPlaces(execRoot);
      for (const id of await pinned(execRoot)) if (!alive(id)) await dropPins(execRoot, id);
      for (const id of await shmOwners(execRoot)) if (!alive(id)) await dropShm(execRoot, id);
      await volumes.reconcile((id) => book.has(id));
      await networks.reconcile(alive);
      for (const container of book.all())
        await container
          .exclusive(() => lifecycle.reconcile(container))
          .catch((error: unknown) => log.error('reconcile', { id: container.id, error }));
    },
    async close({ stopContainers }) {
      rotation.close();
      await build.close();
      await lifecycle.close({ stopContainers, timeoutS: defaults.shutdownTimeoutS });
    },
  };
}

function layerBytes(layers: LayerStore, chainId: string | undefined): number {
  let total = 0;
  for (
    let layer = chainId === undefined ? undefined : layers.get(chainId);
    layer !== undefined;
    layer = layer.parent === undefined ? undefined : layers.get(layer.parent)
  )
    total += layer.sizeBytes;
  return total;
}
