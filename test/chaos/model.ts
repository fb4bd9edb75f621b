import type { Action } from './plan.ts';

/** `flapping`: a process that ends by itself and is brought back, so it may run or wait for its next start. */
export type State = 'absent' | 'created' | 'up' | 'flapping' | 'paused' | 'down';

export interface Kind {
  name: string;
  policy: '' | 'always' | 'unless-stopped' | 'on-failure';
  autoRemove: boolean;
  /** Its process ends by itself after a moment, with a failure. */
  shortLived: boolean;
}

/** Every kind of container that takes part. */
export const KINDS: readonly Kind[] = [
  { name: 'plain', policy: '', autoRemove: false, shortLived: false },
  { name: 'always', policy: 'always', autoRemove: false, shortLived: false },
  { name: 'unless', policy: 'unless-stopped', autoRemove: false, shortLived: false },
  { name: 'rm', policy: '', autoRemove: true, shortLived: false },
  { name: 'flapper', policy: 'on-failure', autoRemove: false, shortLived: true },
];

type Outcome = readonly [status: number, next: State];

/** What the daemon may answer to an action on a container in a state, and the state after it. */
export function outcomes(kind: Kind, state: State, action: Action): readonly Outcome[] {
  const live: State = kind.shortLived ? 'flapping' : 'up';
  const ended: State[] = kind.autoRemove ? ['absent', 'down'] : ['down'];
  const ends = ended.map((next): Outcome => [204, next]);
  if (state === 'absent') return action === 'create' ? [[201, 'created']] : [[404, 'absent']];
  if (action === 'create') return [[409, state]];
  if (action === 'rm') return [[204, 'absent']];
  if (action === 'restart') return [[204, live]];
  switch (state) {
    case 'created':
    case 'down':
      if (action === 'start') return [[204, live]];
      return [[action === 'stop' ? 304 : 409, state]];
    case 'up':
      if (action === 'start') return [[304, state]];
      if (action === 'stop' || action === 'kill') return ends;
      if (action === 'pause') return [[204, 'paused']];
      return [[action === 'exec' ? 200 : 409, state]];
    case 'paused':
      if (action === 'unpause') return [[204, live]];
      if (action === 'stop' || action === 'kill') return ends;
      return [[409, state]];
    case 'flapping':
      if (action === 'start')
        return [
          [304, state],
          [204, state],
        ];
      if (action === 'stop' || action === 'kill')
        return [
          [204, 'down'],
          [409, state],
        ];
      if (action === 'pause')
        return [
          [204, 'paused'],
          [409, state],
        ];
      if (action === 'exec')
        return [
          [200, state],
          [409, state],
        ];
      return [[409, state]];
  }
}

/** What a container may become by itself. */
export function closure(kind: Kind, states: ReadonlySet<State>): Set<State> {
  const closed = new Set(states);
  if (kind.autoRemove && closed.has('down')) closed.add('absent');
  return closed;
}

/** The states after an answered action; empty: the answer was a lie. */
export function after(kind: Kind, states: ReadonlySet<State>, action: Action, status: number): Set<State> {
  const next = new Set<State>();
  for (const state of closure(kind, states))
    for (const [expected, to] of outcomes(kind, state, action)) if (expected === status) next.add(to);
  return closure(kind, next);
}

/** The states that a daemon started after a crash may show, when `pending` was under way in it. */
export function afterCrash(kind: Kind, states: ReadonlySet<State>, pending: Action | undefined): Set<State> {
  const possible = closure(kind, states);
  if (pending !== undefined)
    for (const state of [...possible])
      for (const [, next] of outcomes(kind, state, pending)) {
        possible.add(next);
        // Killed between the end of the one process and the start of the next, or between the end and the removal.
        if (state !== 'absent' && state !== 'created' && (pending === 'restart' || pending === 'rm'))
          possible.add('down');
      }
  const shown = new Set<State>();
  for (const state of possible) {
    if (state !== 'down') shown.add(state);
    else if (kind.autoRemove) shown.add('absent');
    else shown.add(kind.policy === 'always' ? 'up' : 'down');
  }
  return shown;
}

/** A state as `inspect` tells it, in the model's words. */
export function told(kind: Kind, status: string): State | undefined {
  if (status === 'running' || status === 'restarting')
    return kind.shortLived ? 'flapping' : status === 'running' ? 'up' : undefined;
  if (status === 'exited') return 'down';
  return status === 'created' || status === 'paused' ? status : undefined;
}
