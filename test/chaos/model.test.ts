import assert from 'node:assert/strict';
import { it } from 'node:test';
import { after, afterCrash, KINDS, outcomes, type State } from './model.ts';
import { ACTIONS, generatorFor } from './plan.ts';

const kind = (name: string) => KINDS.find((one) => one.name === name)!;
const STATES: State[] = ['absent', 'created', 'up', 'flapping', 'paused', 'down'];

it('has an answer to every action in every state', () => {
  for (const one of KINDS)
    for (const state of STATES)
      for (const action of ACTIONS)
        assert.ok(outcomes(one, state, action).length > 0, `${one.name} ${state} ${action}`);
});

it('calls an answer that no possible state allows a lie', () => {
  assert.deepEqual(after(kind('plain'), new Set<State>(['created']), 'start', 304), new Set());
  assert.deepEqual(after(kind('plain'), new Set<State>(['created', 'up']), 'start', 304), new Set(['up']));
});

it('expects after a crash what the policy brings back, and no more', () => {
  const stopped = new Set<State>(['down']);
  assert.deepEqual(afterCrash(kind('always'), stopped, undefined), new Set(['up']));
  assert.deepEqual(afterCrash(kind('unless'), stopped, undefined), new Set(['down']));
  assert.deepEqual(afterCrash(kind('rm'), stopped, undefined), new Set(['absent']));
  assert.deepEqual(afterCrash(kind('plain'), new Set<State>(['up']), 'stop'), new Set(['up', 'down']));
});

it('draws the same for the same seed and part, and else for another', () => {
  const draw = (...part: number[]) => generatorFor(5, ...part)();
  assert.equal(draw(1, 2), draw(1, 2));
  assert.notEqual(draw(1, 2), draw(2, 1));
});
