import type { ContainerRecord } from './record.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** go-units HumanDuration. */
export function humanDuration(ms: number): string {
  const seconds = Math.floor(ms / SECOND);
  if (seconds < 1) return 'Less than a second';
  if (seconds === 1) return '1 second';
  if (seconds < 60) return `${seconds} seconds`;
  const minutes = Math.floor(ms / MINUTE);
  if (minutes === 1) return 'About a minute';
  if (minutes < 60) return `${minutes} minutes`;
  const hours = Math.round(ms / HOUR);
  if (hours === 1) return 'About an hour';
  if (hours < 48) return `${hours} hours`;
  if (hours < 24 * 7 * 2) return `${Math.floor(ms / DAY)} days`;
  if (hours < 24 * 30 * 2) return `${Math.floor(ms / (7 * DAY))} weeks`;
  if (hours < 24 * 365 * 2) return `${Math.floor(ms / (30 * DAY))} months`;
  return `${Math.floor(ms / (365 * DAY))} years`;
}

/** The STATUS column (moby container/state.go String). */
export function statusText(record: ContainerRecord, health: string | undefined, nowMs: number = Date.now()): string {
  const { state } = record;
  const since = (text: string) => humanDuration(nowMs - Date.parse(text));
  switch (state.status) {
    case 'running':
      return `Up ${since(state.startedAt)}${health === undefined || health === 'none' ? '' : ` (${health === 'starting' ? 'health: starting' : health})`}`;
    case 'paused':
      return `Up ${since(state.startedAt)} (Paused)`;
    case 'restarting':
      return `Restarting (${state.exitCode}) ${since(state.finishedAt)} ago`;
    case 'removing':
      return 'Removal In Progress';
    case 'dead':
      return 'Dead';
    case 'created':
      return 'Created';
    case 'exited':
      return `Exited (${state.exitCode}) ${since(state.finishedAt)} ago`;
  }
}
