import { type Logger, nowText } from '../common/index.ts';
import type { Monitor } from '../runtime/index.ts';
import type { HealthState } from '../wire/index.ts';
import type { Container } from './containers/book.ts';
import type { Execs } from './execs.ts';

const SECOND = 1e9;
/** Docker's defaults, nanoseconds (moby daemon/health.go). */
const DEFAULTS = { interval: 30 * SECOND, timeout: 30 * SECOND, startInterval: 5 * SECOND, retries: 3 };
const KEPT_RESULTS = 5;
const MAX_OUTPUT = 4096;

export interface HealthParts {
  execs: Execs;
  monitor: Monitor;
  emit: (container: Container, action: string, attributes?: Record<string, string>) => void;
  /** What `--health-on-failure` asks for; `none` is never given. */
  onUnhealthy: (container: Container, action: 'kill' | 'restart' | 'stop') => void;
  log: Logger;
}

interface Watch {
  state: HealthState;
  stop: AbortController;
}

/** Health checks of running containers: one probe after another, its results kept. */
export class Health {
  readonly #parts: HealthParts;
  readonly #watches = new Map<string, Watch>();
  constructor(parts: HealthParts) {
    this.#parts = parts;
  }

  of(id: string): HealthState | undefined {
    return this.#watches.get(id)?.state;
  }

  forget(id: string): void {
    this.#watches.get(id)?.stop.abort();
    this.#watches.delete(id);
  }

  started(container: Container): void {
    this.forget(container.id);
    const test = container.record.config.Healthcheck?.Test ?? [];
    if (test.length === 0 || test[0] === 'NONE') return;
    const watch: Watch = { state: { Status: 'starting', FailingStreak: 0, Log: [] }, stop: new AbortController() };
    this.#watches.set(container.id, watch);
    void this.#run(container, watch).catch((error: unknown) =>
      this.#parts.log.warn('health check', { id: container.id, error }),
    );
  }

  ended(container: Container): void {
    const watch = this.#watches.get(container.id);
    if (watch === undefined) return;
    watch.stop.abort();
    if (watch.state.Status !== 'unhealthy') watch.state.Status = 'unhealthy';
  }

  async #run(container: Container, watch: Watch): Promise<void> {
    const health = container.record.config.Healthcheck!;
    const interval = health.Interval || DEFAULTS.interval;
    const startPeriod = health.StartPeriod ?? 0;
    const startedMs = Date.parse(container.state.startedAt);
    const inStart = () => watch.state.Status === 'starting' && (Date.now() - startedMs) * 1e6 < startPeriod;
    while (!watch.stop.signal.aborted) {
      await sleep(
        (inStart() ? Math.min(health.StartInterval || DEFAULTS.startInterval, interval) : interval) / 1e6,
        watch.stop.signal,
      );
      if (watch.stop.signal.aborted) return;
      if (container.state.status === 'paused') continue;
      await this.#probe(container, watch, inStart());
    }
  }

  async #probe(container: Container, watch: Watch, inStartPeriod: boolean): Promise<void> {
    const { config } = container.record;
    const health = config.Healthcheck!;
    const [kind = '', ...words] = health.Test ?? [];
    const shell = config.Shell?.length ? config.Shell : ['/bin/sh', '-c'];
    const Cmd = kind === 'CMD-SHELL' ? [...shell, ...words] : words;
    const Start = nowText();
    const timeoutMs = (health.Timeout || DEFAULTS.timeout) / 1e6;
    const { code, output } = await this.#execute(container, Cmd, timeoutMs, watch.stop.signal);
    if (watch.stop.signal.aborted) return;
    const { state } = watch;
    state.Log = [...state.Log, { Start, End: nowText(), ExitCode: code, Output: output }].slice(-KEPT_RESULTS);
    const before = state.Status;
    if (code === 0) {
      state.FailingStreak = 0;
      state.Status = 'healthy';
    } else if (!inStartPeriod) {
      state.FailingStreak++;
      if (state.FailingStreak >= (health.Retries || DEFAULTS.retries)) state.Status = 'unhealthy';
    }
    if (state.Status === before) return;
    this.#parts.emit(container, `health_status: ${state.Status}`);
    const action = container.record.host.HealthOnFailure;
    if (state.Status === 'unhealthy' && (action === 'kill' || action === 'restart' || action === 'stop'))
      this.#parts.onUnhealthy(container, action);
  }

  async #execute(
    container: Container,
    Cmd: string[],
    timeoutMs: number,
    stop: AbortSignal,
  ): Promise<{ code: number; output: string }> {
    const chunks: Buffer[] = [];
    let bytes = 0;
    try {
      const { Id } = await this.#parts.execs.create(container.id, { Cmd, AttachStdout: true, AttachStderr: true });
      const session = await this.#parts.execs.start(Id, { detach: false });
      const read = (async () => {
        for await (const { data } of session!.output) {
          if (bytes < MAX_OUTPUT) chunks.push(data);
          bytes += data.length;
        }
      })();
      const late = await Promise.race([read.then(() => false), sleep(timeoutMs, stop).then(() => true)]);
      if (late) {
        const { Pid } = (await this.#parts.execs.inspect(Id)) as { Pid: number };
        if (Pid > 0) {
          try {
            process.kill(Pid, 'SIGKILL');
          } catch {
            // it has just ended
          }
        }
        return {
          code: -1,
          output: `Health check exceeded timeout (${timeoutMs >= 1000 ? `${timeoutMs / 1000}s` : `${timeoutMs}ms`})`,
        };
      }
      const { ExitCode } = (await this.#parts.execs.inspect(Id)) as { ExitCode: number | null };
      const text = Buffer.concat(chunks).toString();
      return { code: ExitCode ?? -1, output: text.length > MAX_OUTPUT ? `${text.slice(0, MAX_OUTPUT)}...` : text };
    } catch (error) {
      return { code: -1, output: (error as Error).message };
    }
  }
}

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener(
      'abort',
      () => {
        clearTimeout(timer);
        resolve();
      },
      { once: true },
    );
  });
}
