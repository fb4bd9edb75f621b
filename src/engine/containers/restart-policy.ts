import type { ContainerRecord } from './record.ts';

/** Docker's back-off: 100 ms, doubled up to a minute, anew after ten seconds of running (moby restartmanager). */
const FIRST_BACKOFF_MS = 100;
const MAX_BACKOFF_MS = 60_000;
const STABLE_MS = 10_000;

/** How long to wait before the next start. `previousMs`: the last wait, undefined before the first. */
export function nextBackoffMs(previousMs: number | undefined, ranMs: number): number {
  return previousMs === undefined || ranMs > STABLE_MS ? FIRST_BACKOFF_MS : Math.min(previousMs * 2, MAX_BACKOFF_MS);
}

/** Whether the policy brings back a container that has ended by itself. */
export function restartsAfterExit({ host, state }: ContainerRecord, exitCode: number): boolean {
  const { Name: name = 'no', MaximumRetryCount: limit = 0 } = host.RestartPolicy ?? {};
  if (name === 'always') return true;
  if (name === 'unless-stopped') return !state.stoppedByUser;
  return name === 'on-failure' && exitCode !== 0 && (limit === 0 || state.restartCount < limit);
}

/** Whether a new daemon leaves down what somebody stopped: all but `always`. */
export function staysStopped({ state, host }: ContainerRecord): boolean {
  return state.stoppedByUser && host.RestartPolicy?.Name !== 'always';
}

/** Whether a new daemon starts a container that does not run. */
export function restartsWithDaemon(record: ContainerRecord): boolean {
  const { state } = record;
  if (state.status === 'restarting') return true;
  if (state.status !== 'exited' || staysStopped(record)) return false;
  return restartsAfterExit(record, state.exitCode);
}
