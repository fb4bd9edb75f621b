import { readFileSync, rmSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { NEWEST_API_VERSION, OLDEST_API_VERSION, versionText } from '../api/index.ts';
import { openBuilder } from '../build/index.ts';
import { invalid, type Logger, messageOf, unavailable } from '../common/index.ts';
import { openContentStore } from '../content/index.ts';
import { createEventBus, type Engine, type EngineDefaults, openEngine, openSystem } from '../engine/index.ts';
import { openImageStore } from '../images/index.ts';
import { openLayerStore } from '../layers/index.ts';
import { openNetworks } from '../network/index.ts';
import { openCgroups, openMonitor } from '../runtime/index.ts';
import { openDatabase } from '../state/index.ts';
import { openVolumes } from '../volumes/index.ts';
import { startCollection } from './collection.ts';
import { withDefaults } from './container-defaults.ts';
import { openInstance } from './instance.ts';
import { findInit, findProgram, findRuntimes } from './runtimes.ts';
import { LOG_DRIVERS } from './setting-checks.ts';
import type { Settings } from './settings.ts';

export interface ComposeParts {
  /** As they are now: a reload changes them. */
  settings: () => Settings;
  env: NodeJS.ProcessEnv;
  log: Logger;
  /** Gantry's own version. */
  version: string;
}

export interface Composition {
  engine: Engine;
  /** For the log line of a start. */
  facts: Record<string, string>;
  /** Applies changed settings; throws before anything is changed if they cannot be. */
  reload(settings: Settings): Promise<void>;
  /** Ends containers (unless live restore is on) and what works in the background. The engine still answers; nothing is started any more. */
  quiesce(): Promise<void>;
  /** Closes everything of the engine, when nobody asks it anything any more. */
  close(): Promise<void>;
}

/** The one place that knows the whole: opens every room, gives each the parts it needs, brings what the last daemon left up to date. */
export async function compose({ settings, env, log, version }: ComposeParts): Promise<Composition> {
  const { dataRoot, execRoot, network } = settings();
  const instance = openInstance(dataRoot);
  const programs = env.PATH ?? '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
  const conmonPath = findProgram('conmon', programs) ?? findProgram('/usr/libexec/podman/conmon', programs);
  if (conmonPath === undefined) throw unavailable('conmon is not installed: containers need it');
  const initPath = findInit(settings().defaults.initPath, programs);
  const cgroupParent = instance.suffix === '' ? '/gantry' : `/gantry-${instance.suffix}`;
  const search = { path: programs, scratch: join(execRoot, 'probe'), cgroup: `${cgroupParent}/probe` };
  // A daemon that was killed while it tried runtimes left its scratch.
  rmSync(search.scratch, { recursive: true, force: true });
  const cgroups = openCgroups('/sys/fs/cgroup', cgroupParent);
  // The trials of runtimes made it; a start that fails must not leave it.
  const runtimes = await findRuntimes(settings(), search).finally(() => cgroups.removeEmpty(cgroupParent));
  const defaults = engineDefaults(settings(), runtimes.standard);
  let seccompProfile = readSeccomp(settings().defaults.seccompProfile);

  const db = openDatabase(join(dataRoot, 'state.db'));
  const events = createEventBus();
  const content = await openContentStore(join(dataRoot, 'content'));
  const layers = await openLayerStore({
    dir: join(dataRoot, 'layers'),
    execRoot,
    db,
    log: log.with({ part: 'layers' }),
  });
  const monitor = openMonitor({ execRoot, conmonPath, spillDirectory: dataRoot });
  const networks = await openNetworks({
    db,
    execRoot,
    dataRoot,
    instance: instance.suffix,
    options: network,
    log: log.with({ part: 'network' }),
    emit: (event) => events.emit(event),
    hostsChanged: (id, state) =>
      void opened.refreshHosts(id, state.hosts).catch((error: unknown) => log.warn('hosts file', { id, error })),
  });
  const volumes = openVolumes({
    db,
    dataRoot,
    pluginDirs: settings().pluginDirs,
    emit: (action, name, attributes) => events.emit({ type: 'volume', action, id: name, attributes }),
    log: log.with({ part: 'volumes' }),
  });
  const opened = await openEngine({
    db,
    dataRoot,
    execRoot,
    layers,
    networks,
    volumes,
    events,
    monitor,
    cgroups,
    runtimes: runtimes.byName,
    defaults,
    initPath,
    log,
    openImages: (users) =>
      openImageStore({
        db,
        content,
        layers,
        users,
        emit: (action, id, attributes) => events.emit({ type: 'image', action, id, attributes }),
        registry: registryOptions(settings()),
        log: log.with({ part: 'images' }),
        dataRoot,
      }),
    openBuild: ({ images, runner }) =>
      openBuilder({
        db,
        layers,
        content,
        images,
        runner,
        dataRoot,
        execRoot,
        log: log.with({ part: 'build' }),
        emit: (action, attributes) => events.emit({ type: 'builder', action, id: '', attributes }),
      }),
    openSystem: ({ images, containers, build, counts }) =>
      openSystem({
        facts: () =>
          systemFacts(settings(), {
            version,
            engineId: instance.id,
            runtime: defaults.runtime,
            reason: runtimes.reason,
          }),
        runtimes: runtimes.byName,
        conmonPath,
        initPath,
        cgroups,
        containers,
        images,
        volumes,
        build,
        counts,
        listeners: () => events.listeners(),
      }),
  });
  await opened.reconcile();
  const engine: Engine = {
    ...opened.engine,
    containers: withDefaults(
      opened.engine.containers,
      () => settings().defaults,
      () => seccompProfile,
    ),
  };

  const collection = startCollection({
    build: engine.build,
    images: engine.images,
    settings: () => settings().collection,
    log,
  });

  const emitDaemon = (action: string, attributes: Record<string, string>) =>
    events.emit({ type: 'daemon', action, id: instance.id, attributes });
  return {
    engine,
    facts: { runtime: defaults.runtime, 'runtime-reason': runtimes.reason, 'data-root': dataRoot },
    async reload(wanted) {
      const found = await findRuntimes(wanted, search);
      const profile = readSeccomp(wanted.defaults.seccompProfile);
      seccompProfile = profile;
      for (const name of [...runtimes.byName.keys()]) if (!found.byName.has(name)) runtimes.byName.delete(name);
      for (const [name, runtime] of found.byName) runtimes.byName.set(name, runtime);
      runtimes.reason = found.reason;
      Object.assign(defaults, engineDefaults(wanted, found.standard));
      await networks.restoreRules();
      emitDaemon('reload', reloadAttributes(wanted, defaults.runtime));
    },
    async quiesce() {
      collection.stop();
      await opened.close({ stopContainers: !settings().liveRestore });
    },
    async close() {
      await engine.images.close();
      await networks.close();
      monitor.close();
      await cgroups.removeEmpty(cgroupParent);
      db.close();
    },
  };
}

/** Docker's places for registries' certificates. */
const CERTIFICATES = ['/etc/gantry/certs.d', '/etc/docker/certs.d'];

function registryOptions({ registries, proxies }: Settings) {
  const { insecure, mirrors, downloads, uploads, attempts } = registries;
  const given = Object.values(proxies).some((proxy) => proxy !== undefined);
  return {
    insecure,
    mirrors,
    certDirs: CERTIFICATES,
    maxDownloads: downloads,
    maxUploads: uploads,
    attempts,
    ...(given ? { proxies } : {}),
  };
}

function engineDefaults({ defaults, network, shutdownTimeoutS }: Settings, runtime: string): EngineDefaults {
  return {
    runtime,
    logDriver: defaults.logDriver,
    logOptions: defaults.logOptions,
    cgroupParent: defaults.cgroupParent,
    dns: network.dns ?? [],
    dnsSearch: network.dnsSearch ?? [],
    dnsOptions: network.dnsOptions ?? [],
    ulimits: defaults.ulimits,
    shmSize: defaults.shmSizeBytes,
    shutdownTimeoutS,
  };
}

/** The text for `seccomp=`, or undefined for the built-in profile. */
function readSeccomp(profile: string): string | undefined {
  if (profile === 'builtin') return undefined;
  if (profile === 'unconfined') return profile;
  try {
    return readFileSync(profile, 'utf8');
  } catch (error) {
    throw invalid(`opening seccomp profile (${profile}) failed: ${messageOf(error)}`);
  }
}

interface OwnFacts {
  version: string;
  engineId: string;
  runtime: string;
  reason: string;
}

function systemFacts(settings: Settings, own: OwnFacts) {
  const { dataRoot, debug, experimental, labels, liveRestore, registries, proxies, defaults, hosts, tls } = settings;
  const open = hosts.filter((host) => host.startsWith('tcp://') && !tls.verify);
  return {
    version: own.version,
    engineId: own.engineId,
    apiVersion: versionText(NEWEST_API_VERSION),
    minApiVersion: versionText(OLDEST_API_VERSION),
    dataRoot,
    debug,
    experimental,
    labels,
    liveRestore,
    registries,
    proxies,
    logDriver: defaults.logDriver,
    logDrivers: LOG_DRIVERS,
    seccompProfile: defaults.seccompProfile,
    defaultRuntime: own.runtime,
    defaultRuntimeReason: own.reason,
    warnings: open.map(
      (host) =>
        `[DEPRECATION NOTICE]: API is accessible on ${host} without TLS client verification: whoever reaches it is root on this machine`,
    ),
  };
}

/** What dockerd tells of a reload (daemon/reload.go), as far as it is ours. */
function reloadAttributes(settings: Settings, runtime: string): Record<string, string> {
  const { debug, labels, liveRestore, shutdownTimeoutS, registries, runtimes } = settings;
  return {
    debug: String(debug),
    labels: JSON.stringify(labels),
    'live-restore': String(liveRestore),
    'shutdown-timeout': String(shutdownTimeoutS),
    'insecure-registries': JSON.stringify(registries.insecure),
    'registry-mirrors': JSON.stringify(registries.mirrors),
    'max-concurrent-downloads': String(registries.downloads),
    'max-concurrent-uploads': String(registries.uploads),
    'max-download-attempts': String(registries.attempts),
    'default-runtime': runtime,
    runtimes: Object.keys(runtimes).join(' '),
    name: hostname(),
  };
}
