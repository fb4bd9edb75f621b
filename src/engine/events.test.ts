import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Filters, nowNs } from '../common/index.ts';
import { createEventBus } from './events.ts';

it('past events are told to who asks for a beginning or an end', async () => {
  const bus = createEventBus();
  const beginning = nowNs() - 1_000_000_000n;
  bus.emit({ type: 'container', action: 'start', id: 'c', attributes: {} });
  const end = nowNs() + 1_000n;
  const told = async (sinceNs: bigint | undefined, untilNs: bigint) => {
    const actions: string[] = [];
    const { signal } = new AbortController();
    for await (const { Action } of bus.stream({ sinceNs, untilNs, filters: Filters.parse('{}'), signal }))
      actions.push(Action);
    return actions;
  };
  assert.deepEqual(await told(undefined, end), ['start']);
  assert.deepEqual(await told(beginning, end), ['start']);
  assert.deepEqual(await told(undefined, beginning), []);
});
