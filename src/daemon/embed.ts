import { invalid, type Logger, type LogSink, silentLogger } from '../common/index.ts';
import type { Engine } from '../engine/index.ts';
import { checkConfig } from './config-file.ts';
import { Daemon } from './daemon.ts';
import { checkTcp } from './listen.ts';
import { settingsFrom } from './settings.ts';

export interface EngineOptions {
  /** Persistent state; one engine has it at a time. */
  dataRoot: string;
  /** State that a reboot clears. Keep it short: sockets lie below it, and their paths end at 107 bytes. */
  execRoot: string;
  /** Sockets for clients (`unix:///path`, `tcp://…`); none by default. */
  hosts?: readonly string[];
  /** Further settings by the keys of daemon.json (docs/embedding.md). */
  config?: Record<string, unknown>;
  /** Where log lines go; nowhere by default. */
  log?: Logger;
  env?: NodeJS.ProcessEnv;
}

/** An engine inside this process. */
export interface EmbeddedEngine extends AsyncDisposable {
  /** The use cases behind the API, typed. */
  readonly engine: Engine;
  /** Reads nothing again but puts rules and runtimes right, as SIGHUP does for gantryd. */
  reload(): Promise<void>;
  /** Stops containers (unless `live-restore` is set) and lets go of the roots. Idempotent. */
  close(): Promise<void>;
}

/** Starts an engine in this process; needs root. Throws invalid for settings that are wrong, conflict for roots in use. */
export async function createEngine(options: EngineOptions): Promise<EmbeddedEngine> {
  const env = options.env ?? process.env;
  const own = {
    'data-root': options.dataRoot,
    'exec-root': options.execRoot,
    pidfile: `${options.execRoot}/gantryd.pid`,
  };
  const values = checkConfig({ ...options.config, ...own }, new Map(), (why) =>
    invalid(`invalid engine options: ${why}`),
  );
  const settings = { ...settingsFrom(values, env), hosts: [...(options.hosts ?? [])] };
  checkTcp(settings);
  const sink: LogSink = { level: settings.logLevel, format: settings.logFormat, write: () => {} };
  const flags = new Map(values);
  // No file is read, now or at a reload: what was given here is all.
  flags.set('config-file', '/dev/null');
  const daemon = new Daemon({ settings, flags, env, log: options.log ?? silentLogger, sink });
  try {
    await daemon.start(new AbortController().signal);
  } catch (error) {
    await daemon.stop().catch(() => {});
    throw error;
  }
  const close = () => daemon.stop();
  return {
    get engine() {
      return daemon.engine;
    },
    reload: () => daemon.reload(),
    close,
    [Symbol.asyncDispose]: close,
  };
}
