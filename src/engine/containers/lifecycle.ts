import { setTimeout as sleep } from 'node:timers/promises';
import {
  conflict,
  type EngineError,
  invalid,
  type Logger,
  messageOf,
  notModified,
  nowText,
  rfc3339Nano,
  unavailable,
  ZERO_TIME,
} from '../../common/index.ts';
import { type Exit, StartFailure } from '../../runtime/index.ts';
import { parseSignal } from '../../sys/index.ts';
import type { EventBus } from '../types.ts';
import type { Attachments } from './attachments.ts';
import type { Container } from './book.ts';
import { neededBy } from './needs.ts';
import type { Releases } from './release.ts';
import { nextBackoffMs, restartsAfterExit, restartsWithDaemon, staysStopped } from './restart-policy.ts';
import { RUN } from './roots.ts';
import { prepare, type StartParts } from './start.ts';

export interface LifecycleParts extends StartParts {
  attachments: Attachments;
  events: EventBus;
  releases: Releases;
  log: Logger;
  /** Health checks begin and end with the process. */
  onStarted: (container: Container) => void;
  onAdopted: (container: Container) => void;
  onEnded: (container: Container) => void;
  /** Removes a `--rm` container that has ended. */
  autoRemove: (container: Container) => Promise<void>;
}

const SIGKILL = 9;
/** How long a restart waits for containers that this one needs (moby daemon.restore), and how often it looks. */
const NEEDED_WITHIN_MS = 5000;
const NEEDED_POLL_MS = 20;
interface Run {
  /** Resolves when the process has ended and its state is on disk. */
  ended: Promise<void>;
  stopRequested: boolean;
  /** The container stays although it is one of `--rm`: it is started again, or removed by whoever ended it. */
  stays: boolean;
  startedMs: number;
}

/** Starting, stopping, ending, restarting: the state machine of a container. */
export class Lifecycle {
  readonly #parts: LifecycleParts;
  readonly #runs = new Map<string, Run>();
  readonly #backoff = new Map<string, number>();
  readonly #timers = new Map<string, NodeJS.Timeout>();
  readonly #background = new Set<Promise<unknown>>();
  readonly #exitWaiters = new Map<string, Set<(code: number) => void>>();
  #closing = false;

  constructor(parts: LifecycleParts) {
    this.#parts = parts;
  }

  emit(container: Container, action: string, attributes: Record<string, string> = {}): void {
    const { record } = container;
    this.#parts.events.emit({
      type: 'container',
      action,
      id: container.id,
      attributes: { ...record.config.Labels, image: record.config.Image ?? '', name: record.name, ...attributes },
    });
  }

  /** Resolves with the exit code at the next end of the process. */
  nextExit(id: string, signal: AbortSignal): Promise<number> {
    return new Promise((resolve, reject) => {
      const set = this.#exitWaiters.get(id) ?? new Set();
      this.#exitWaiters.set(id, set);
      const settle = (code: number) => {
        set.delete(settle);
        resolve(code);
      };
      set.add(settle);
      signal.addEventListener('abort', () => {
        set.delete(settle);
        reject(signal.reason);
      });
    });
  }

  async start(container: Container): Promise<void> {
    const { state } = container;
    if (this.#closing) throw unavailable('the daemon is shutting down');
    if (state.status === 'paused') throw conflict('cannot start a paused container, try unpause instead');
    if (state.status === 'running') throw notModified('container already started');
    if (state.status === 'removing' || state.status === 'dead')
      throw conflict('container is marked for removal and cannot be started');
    this.#cancelRestart(container.id);
    await this.#runs.get(container.id)?.ended;
    this.#backoff.delete(container.id);
    await this.#launch(container, 0);
  }

  async #launch(container: Container, restartCount: number): Promise<void> {
    const { monitor, book, attachments, releases } = this.#parts;
    await releases.done(container.id);
    let pid: number;
    try {
      ({ pid } = await prepare(container, this.#parts));
      await attachments.connectWaiting(container.id);
      await monitor.start(container.id);
    } catch (error) {
      await releases.all(container.record);
      attachments.abandon(container.id);
      const exitCode = error instanceof StartFailure ? error.exitCode : 128;
      book.setState(container, {
        status: container.state.startedAt === ZERO_TIME ? 'created' : 'exited',
        pid: 0,
        exitCode,
        error: messageOf(error),
      });
      if (container.record.host.AutoRemove) await this.#parts.autoRemove(container);
      throw error;
    }
    book.setState(container, {
      status: 'running',
      pid,
      exitCode: 0,
      error: '',
      startedAt: nowText(),
      oomKilled: false,
      stoppedByUser: false,
      restartCount,
    });
    this.emit(container, 'start');
    this.#supervise(container);
    this.#parts.onStarted(container);
  }

  /** Follows a running process to its end; also used when a daemon finds it again. */
  #supervise(container: Container): void {
    const run: Run = {
      stopRequested: false,
      stays: false,
      startedMs: Date.parse(container.state.startedAt),
      ended: Promise.resolve(),
    };
    run.ended = this.#parts.monitor
      .wait(container.id)
      .then((exit) => this.#end(container, run, exit))
      .catch((error: unknown) => this.#parts.log.error('end of container', { id: container.id, error }))
      .finally(() => {
        if (this.#runs.get(container.id) === run) this.#runs.delete(container.id);
      });
    this.#runs.set(container.id, run);
  }

  async #end(container: Container, run: Run, exit: Exit): Promise<void> {
    if (this.#closing && !run.stopRequested) return;
    const { book, releases, log } = this.#parts;
    this.#parts.onEnded(container);
    await releases.shared(container.record);
    const restart = !this.#closing && !run.stopRequested && restartsAfterExit(container.record, exit.code);
    book.setState(container, {
      status: restart ? 'restarting' : 'exited',
      pid: 0,
      exitCode: exit.code,
      finishedAt: rfc3339Nano(exit.atNs),
      oomKilled: exit.oomKilled,
      ...(restart ? { restartCount: container.state.restartCount + 1 } : {}),
    });
    const seconds = Math.max(0, Math.floor((Date.now() - run.startedMs) / 1000));
    if (exit.oomKilled) this.emit(container, 'oom');
    this.emit(container, 'die', { execDuration: String(seconds), exitCode: String(exit.code) });
    this.track(releases.own(container.record));
    this.#wake(container.id, exit.code);
    if (restart) this.#scheduleRestart(container, run);
    else if (container.record.host.AutoRemove && !run.stays)
      await this.#parts
        .autoRemove(container)
        .catch((error: unknown) => log.error('automatic removal', { id: container.id, error }));
  }

  #wake(id: string, code: number): void {
    for (const settle of [...(this.#exitWaiters.get(id) ?? [])]) settle(code);
    this.#exitWaiters.delete(id);
  }

  #scheduleRestart(container: Container, run: Run): void {
    const delay = nextBackoffMs(this.#backoff.get(container.id), Date.now() - run.startedMs);
    this.#backoff.set(container.id, delay);
    const timer = setTimeout(() => {
      this.#timers.delete(container.id);
      this.track(
        this.#neededRun(container).then(() =>
          container.exclusive(async () => {
            if (container.state.status !== 'restarting' || this.#closing) return;
            await this.#launch(container, container.state.restartCount).catch((error: EngineError) => {
              this.#parts.log.warn('restart failed', { id: container.id, error });
              this.#parts.book.setState(container, { status: 'exited' });
            });
          }),
        ),
      );
    }, delay);
    this.#timers.set(container.id, timer);
  }

  /** Waits for containers that this one needs where these are on their way too, as all are when the daemon starts. */
  async #neededRun(container: Container): Promise<void> {
    const needed = neededBy(container.record, this.#parts.book);
    const end = Date.now() + NEEDED_WITHIN_MS;
    while (needed.some(({ state }) => state.status === 'restarting') && Date.now() < end && !this.#closing)
      await sleep(NEEDED_POLL_MS);
  }

  #cancelRestart(id: string): void {
    clearTimeout(this.#timers.get(id));
    this.#timers.delete(id);
  }

  track(work: Promise<unknown>): void {
    const tracked = work.catch(() => {}).finally(() => this.#background.delete(tracked));
    this.#background.add(tracked);
  }

  /** SIGTERM (or the container's own signal), grace, SIGKILL. Idempotent on what does not run. */
  async stop(container: Container, options: { timeoutS?: number; stopSignal?: string }): Promise<void> {
    const { record } = container;
    if (container.state.status === 'restarting') {
      this.#cancelRestart(container.id);
      this.#parts.book.setState(container, { status: 'exited', stoppedByUser: true });
      this.emit(container, 'stop');
      return;
    }
    if (!container.running) throw notModified('container already stopped');
    const signal = parseSignal(options.stopSignal || record.config.StopSignal || 'SIGTERM');
    const graceS = options.timeoutS ?? record.config.StopTimeout ?? 10;
    const run = this.#runs.get(container.id);
    if (run === undefined) return;
    run.stopRequested = true;
    this.#parts.book.setState(container, { stoppedByUser: true });
    await this.#terminate(container, signal);
    if (graceS >= 0 && !(await within(run.ended, graceS * 1000))) await this.#terminate(container, SIGKILL);
    await run.ended;
    this.emit(container, 'stop');
  }

  /** A signal that a paused process gets, too. */
  async #terminate(container: Container, signal: number): Promise<void> {
    await this.#signal(container, signal);
    this.emit(container, 'kill', { signal: String(signal) });
    if (container.state.status === 'paused') await this.#resume(container);
  }

  async restart(container: Container, options: { timeoutS?: number; stopSignal?: string }): Promise<void> {
    const run = this.#runs.get(container.id);
    // A restart of a `--rm` container must not remove it in between.
    if (run !== undefined) run.stays = true;
    if (container.running || container.state.status === 'restarting') await this.stop(container, options);
    await this.start(container);
    this.emit(container, 'restart');
  }

  async kill(container: Container, signalText: string | undefined): Promise<void> {
    let signal: number;
    try {
      signal = parseSignal(signalText || 'SIGKILL');
    } catch (error) {
      const unknown = /^-?\d+$/.test(signalText ?? '') && signalText !== '0';
      throw invalid(
        unknown ? `the linux daemon does not support signal ${signalText}` : `invalid signal: ${signalText}`,
        error,
      );
    }
    if (container.state.status === 'restarting') {
      await this.stop(container, { timeoutS: 0 });
      return;
    }
    if (!container.running) throw conflict(`container ${container.id} is not running`);
    const run = this.#runs.get(container.id);
    const stops = signal === SIGKILL || signal === parseSignal(container.record.config.StopSignal || 'SIGTERM');
    if (run !== undefined && stops) {
      run.stopRequested = true;
      this.#parts.book.setState(container, { stoppedByUser: true });
    }
    await this.#signal(container, signal);
    if (signal === SIGKILL && container.state.status === 'paused') await this.#resume(container);
    this.emit(container, 'kill', { signal: String(signal) });
    if (signal === SIGKILL && run !== undefined) await within(run.ended, 10_000);
  }

  async #signal(container: Container, signal: number): Promise<void> {
    try {
      await this.#parts.monitor.kill(container.id, signal);
    } catch (error) {
      // It ended by itself in this moment; its end is on the way.
      this.#parts.log.debug('signal', { id: container.id, error });
    }
  }

  async #resume(container: Container): Promise<void> {
    await this.#parts.monitor.resume(container.id).catch(() => {});
    if (container.state.status === 'paused') this.#parts.book.setState(container, { status: 'running' });
  }

  async pause(container: Container): Promise<void> {
    if (container.state.status === 'paused') throw conflict(`Container ${container.id} is already paused`);
    if (container.state.status === 'restarting')
      throw conflict(`Container ${container.id} is restarting, wait until the container is running`);
    if (!container.running) throw conflict(`container ${container.id} is not running`);
    await this.#parts.monitor.pause(container.id);
    if (!container.running) throw conflict(`container ${container.id} is not running`);
    this.#parts.book.setState(container, { status: 'paused' });
    this.emit(container, 'pause');
  }

  async unpause(container: Container): Promise<void> {
    if (container.state.status !== 'paused') throw conflict(`Container ${container.id} is not paused`);
    await this.#parts.monitor.resume(container.id);
    if (container.running) this.#parts.book.setState(container, { status: 'running' });
    this.emit(container, 'unpause');
  }

  /** Ends a process for removal, without its restart. */
  async killForRemoval(container: Container): Promise<void> {
    this.#cancelRestart(container.id);
    const run = this.#runs.get(container.id);
    if (run === undefined) return;
    run.stopRequested = true;
    run.stays = true;
    // A daemon that is killed between the end and the removal must not bring it back.
    this.#parts.book.setState(container, { stoppedByUser: true });
    await this.#terminate(container, SIGKILL);
    await run.ended;
  }

  /** What ended or runs since the last daemon: exits are recorded, running ones adopted, policies applied. */
  async reconcile(container: Container): Promise<void> {
    const { monitor, book, releases, roots, cgroups } = this.#parts;
    const found = container.running ? await monitor.state(container.id) : undefined;
    if (found !== undefined && (found.status === 'running' || found.status === 'paused')) {
      await roots.hold(container.id, RUN);
      book.setState(container, { status: found.status, pid: found.pid });
      this.#supervise(container);
      this.#parts.onAdopted(container);
      return;
    }
    if (found?.status === 'stopped') {
      const startedMs = Date.parse(container.state.startedAt);
      const stopRequested = staysStopped(container.record);
      const run: Run = { stopRequested, stays: false, startedMs, ended: Promise.resolve() };
      await this.#end(container, run, await monitor.wait(container.id));
      return;
    }
    await releases.all(container.record);
    // A runtime that was killed while it made the container leaves its cgroup.
    await cgroups.remove(container.record.cgroupsPath);
    // Killed between create and start, or the machine went down.
    if (container.running)
      book.setState(container, {
        status: 'exited',
        pid: 0,
        exitCode: found === undefined ? 255 : 128,
        finishedAt: nowText(),
      });
    if (container.record.host.AutoRemove && container.state.startedAt !== ZERO_TIME) {
      await this.#parts.autoRemove(container);
      return;
    }
    if (!restartsWithDaemon(container.record)) return;
    book.setState(container, { status: 'restarting' });
    this.#scheduleRestart(container, { stopRequested: false, stays: false, startedMs: 0, ended: Promise.resolve() });
  }

  /** Stops all (or, with live restore, leaves them running), and waits for what is under way. */
  async close(options: { stopContainers: boolean; timeoutS: number }): Promise<void> {
    this.#closing = true;
    for (const id of [...this.#timers.keys()]) this.#cancelRestart(id);
    if (options.stopContainers) {
      await Promise.all(
        this.#parts.book.all().map((container) =>
          container.exclusive(async () => {
            if (!container.running) return;
            // A person did not stop it: `unless-stopped` comes back with the daemon.
            const { stoppedByUser } = container.state;
            await this.stop(container, {
              timeoutS: Math.min(options.timeoutS, container.record.config.StopTimeout ?? options.timeoutS),
            }).catch(() => {});
            this.#parts.book.setState(container, { stoppedByUser });
          }),
        ),
      );
    }
    await Promise.all([...this.#background]);
  }
}

async function within(work: Promise<unknown>, ms: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<false>();
  const timer = setTimeout(() => resolve(false), Math.min(ms, 2 ** 31 - 1));
  try {
    return await Promise.race([work.then(() => true as const), promise]);
  } finally {
    clearTimeout(timer);
  }
}
