import { mkdirSync } from 'node:fs';
import { type Api, createApi } from '../api/index.ts';
import type { Logger, LogSink } from '../common/index.ts';
import { messageOf, unavailable } from '../common/index.ts';
import type { Engine } from '../engine/index.ts';
import { type Composition, compose } from './compose.ts';
import { lockRoot, writePidfile } from './exclusive.ts';
import { type Listener, listenAll } from './listen.ts';
import type { OptionValue } from './options.ts';
import { VERSION } from './package-version.ts';
import { readSettings, reloaded, type Settings } from './settings.ts';

export interface DaemonParts {
  settings: Settings;
  /** What the command line said, for reloads. */
  flags: ReadonlyMap<string, OptionValue>;
  env: NodeJS.ProcessEnv;
  log: Logger;
  sink: LogSink;
}

/** How long requests that are under way at the end get to finish. */
const DRAIN_MS = 2000;

/** The life of gantryd: locks, composition, sockets, reload, stop. */
export class Daemon {
  readonly #parts: DaemonParts;
  readonly #undo: (() => void)[] = [];
  #settings: Settings;
  #composition: Composition | undefined;
  #api: Api | undefined;
  #listeners: Listener[] = [];
  #stopping: Promise<void> | undefined;

  constructor(parts: DaemonParts) {
    this.#parts = parts;
    this.#settings = parts.settings;
  }

  /** Throws unavailable before the start and after the stop. */
  get engine(): Engine {
    if (this.#composition === undefined || this.#stopping !== undefined) throw unavailable('the engine is not running');
    return this.#composition.engine;
  }

  /** Resolves when clients are served. */
  async start(signal: AbortSignal): Promise<void> {
    const { log, env } = this.#parts;
    const { dataRoot, execRoot, pidfile } = this.#settings;
    const started = performance.now();
    mkdirSync(dataRoot, { recursive: true, mode: 0o710 });
    mkdirSync(execRoot, { recursive: true, mode: 0o711 });
    const dataLock = lockRoot(dataRoot);
    this.#undo.push(() => dataLock.release());
    const execLock = lockRoot(execRoot);
    this.#undo.push(() => execLock.release());
    const pid = writePidfile(pidfile);
    this.#undo.push(() => pid.remove());

    this.#composition = await compose({ settings: () => this.#settings, env, log, version: VERSION });
    signal.throwIfAborted();
    const { engine } = this.#composition;
    this.#api = createApi({ engine, log, version: VERSION, experimental: () => this.#settings.experimental });
    const { accept } = this.#api;
    this.#listeners = await listenAll(this.#settings, (socket) => accept(socket), log, env);
    for (const { address } of this.#listeners) log.info(`API listen on ${address.replace(/^unix:\/\//, '')}`);
    log.info('Daemon has completed initialization', {
      version: VERSION,
      ms: Math.round(performance.now() - started),
      ...this.#composition.facts,
    });
  }

  /** SIGHUP: the file is read again. What can change in a running daemon does; a file with an error changes nothing. */
  async reload(): Promise<void> {
    const { log, sink, flags, env } = this.#parts;
    log.info(`Got signal to reload configuration, reloading from: ${this.#settings.configFile}`);
    try {
      const wanted = readSettings(flags, env);
      const now = reloaded(this.#settings, wanted);
      await this.#composition?.reload(now);
      this.#settings = now;
      sink.level = now.logLevel;
      log.info('Reloaded configuration', { debug: now.debug, 'live-restore': now.liveRestore, labels: now.labels });
    } catch (error) {
      log.error(`Error reloading configuration: ${messageOf(error)}`);
    }
  }

  /** Idempotent. Stops containers unless live restore is on. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    const { log } = this.#parts;
    const closing = Promise.all(this.#listeners.map((listener) => listener.close()));
    try {
      // Containers end first, so that attached clients see their last output; then clients go, and what they asked.
      await this.#composition?.quiesce();
      await this.#api?.close(DRAIN_MS);
      for (const listener of this.#listeners) listener.drop();
      await closing;
      await this.#composition?.close();
    } catch (error) {
      log.error('shutdown', { error });
    } finally {
      for (const undo of this.#undo.reverse()) undo();
    }
  }
}
