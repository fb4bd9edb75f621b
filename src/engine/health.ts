import { setTimeout } from 'node:timers/promises';
import { durationText, type Logger, nowText } from '../common/index.ts';
import type { Monitor } from '../runtime/index.ts';
import type { HealthState } from '../wire/index.ts';
import type { Container, ContainerBook } from './containers/book.ts';
import type { Execs } from './execs.ts';

const SECOND = 1e9;
/** Docker's defaults, nanoseconds (moby daemon/health.go). */
const DEFAULTS = { interval: 30 * SECOND, timeout: 30 * SECOND, startInterval: 5 * SECOND, retries: 3 };
const KEPT_RESULTS = 5;
const MAX_OUTPUT = 4096;

export interface HealthParts {
  book: ContainerBook;
  execs: Execs;
  monitor: Monitor;
  emit: (container: Container, action: string, attributes?: Record<string, string>) => void;
  /** What `--health-on-failure` asks for; `none` is never given. */
  onUnhealthy: (container: Container, action: 'kill' | 'restart' | 'stop') => void;
  log: Logger;
}

/** Health checks of running containers: one probe after another. Results stand in the container's record, so that a new daemon goes on from them. */
export class Health {
  readonly #parts: HealthParts;
  readonly #watches = new Map<string, AbortController>();
  constructor(parts: HealthParts) {
    this.#parts = parts;
  }

  of(id: string): HealthState | undefined {
    return this.#parts.book.find(id)?.state.health;
  }

  forget(id: string): void {
    this.#watches.get(id)?.abort();
    this.#watches.delete(id);
  }

  /** A process has begun: nothing is known of it. */
  started(container: Container): void {
    const checked = isChecked(container);
    if (checked || container.state.health !== undefined)
      this.#set(container, checked ? { Status: 'starting', FailingStreak: 0, Log: [] } : undefined);
    this.adopted(container);
  }

  /** A process runs already: what an earlier daemon found out holds. */
  adopted(container: Container): void {
    this.forget(container.id);
    if (!isChecked(container)) return;
    const stop = new AbortController();
    this.#watches.set(container.id, stop);
    void this.#run(container, stop.signal).catch((error: unknown) =>
      this.#parts.log.warn('health check', { id: container.id, error }),
    );
  }

  ended(container: Container): void {
    this.forget(container.id);
    const { health } = container.state;
    if (health !== undefined && health.Status !== 'unhealthy') this.#set(container, { ...health, Status: 'unhealthy' });
  }

  #set(container: Container, health: HealthState | undefined): void {
    this.#parts.book.setState(container, { health });
  }

  async #run(container: Container, stop: AbortSignal): Promise<void> {
    const health = container.record.config.Healthcheck!;
    const interval = health.Interval || DEFAULTS.interval;
    const startPeriod = health.StartPeriod ?? 0;
    const startedMs = Date.parse(container.state.startedAt);
    const inStart = () => container.state.health?.Status === 'starting' && (Date.now() - startedMs) * 1e6 < startPeriod;
    while (!stop.aborted) {
      await sleep(inStart() ? health.StartInterval || DEFAULTS.startInterval : interval, stop);
      if (stop.aborted) return;
      if (container.state.status === 'paused') continue;
      await this.#probe(container, stop, inStart());
    }
  }

  async #probe(container: Container, stop: AbortSignal, inStartPeriod: boolean): Promise<void> {
    const { config } = container.record;
    const health = config.Healthcheck!;
    const [kind = '', ...words] = health.Test ?? [];
    const shell = config.Shell?.length ? config.Shell : ['/bin/sh', '-c'];
    const Cmd = kind === 'CMD-SHELL' ? [...shell, ...words] : words;
    const Start = nowText();
    const { code, output } = await this.#execute(container, Cmd, health.Timeout || DEFAULTS.timeout);
    const before = container.state.health;
    if (stop.aborted || before === undefined) return;
    const Log = [...before.Log, { Start, End: nowText(), ExitCode: code, Output: output }].slice(-KEPT_RESULTS);
    const after = { ...judged(before, code, inStartPeriod ? undefined : health.Retries || DEFAULTS.retries), Log };
    this.#set(container, after);
    if (after.Status === before.Status) return;
    this.#parts.emit(container, `health_status: ${after.Status}`);
    const action = container.record.host.HealthOnFailure;
    if (after.Status === 'unhealthy' && (action === 'kill' || action === 'restart' || action === 'stop'))
      this.#parts.onUnhealthy(container, action);
  }

  async #execute(container: Container, Cmd: string[], timeoutNs: number): Promise<{ code: number; output: string }> {
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
      const over = new AbortController();
      const late = await Promise.race([read.then(() => false), sleep(timeoutNs, over.signal).then(() => true)]).finally(
        () => over.abort(),
      );
      if (late) {
        const { Pid } = (await this.#parts.execs.inspect(Id)) as { Pid: number };
        if (Pid > 0) {
          try {
            process.kill(Pid, 'SIGKILL');
          } catch {
            // it has just ended
          }
        }
        const said = textOf(chunks);
        return {
          code: -1,
          output: `Health check exceeded timeout (${durationText(timeoutNs)})${said === '' ? '' : `: ${said}`}`,
        };
      }
      const { ExitCode } = (await this.#parts.execs.inspect(Id)) as { ExitCode: number | null };
      return { code: ExitCode ?? -1, output: textOf(chunks) };
    } catch (error) {
      return { code: -1, output: (error as Error).message };
    }
  }
}

function textOf(chunks: readonly Buffer[]): string {
  const bytes = Buffer.concat(chunks);
  return bytes.length > MAX_OUTPUT ? `${bytes.subarray(0, MAX_OUTPUT).toString()}...` : bytes.toString();
}

/** A check of a kind that Docker does not know is none. */
const isChecked = ({ record }: Container): boolean =>
  ['CMD', 'CMD-SHELL'].includes(record.config.Healthcheck?.Test?.[0] ?? '');

/** What a probe's exit code makes of a state. `retries`: failures in a row that mean unhealthy; undefined while failures do not count. */
export function judged(before: HealthState, code: number, retries: number | undefined): HealthState {
  if (code === 0) return { ...before, Status: 'healthy', FailingStreak: 0 };
  if (retries === undefined) return before;
  const FailingStreak = before.FailingStreak + 1;
  return { ...before, FailingStreak, Status: FailingStreak >= retries ? 'unhealthy' : before.Status };
}

/** A timer holds no more; the longest interval is as good as for ever. */
const LONGEST_MS = 2 ** 31 - 1;

/** Ends early, without an error, when the signal says so. */
async function sleep(ns: number, signal: AbortSignal): Promise<void> {
  await setTimeout(Math.min(ns / 1e6, LONGEST_MS), undefined, { signal }).catch(() => {});
}
