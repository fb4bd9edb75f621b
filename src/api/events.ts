import { invalid, parseTimestampNs } from '../common/index.ts';
import type { Engine } from '../engine/index.ts';
import type { Call } from './call.ts';
import { type Route, route } from './router.ts';

export const eventRoutes = ({ events }: Pick<Engine, 'events'>): Route[] => [
  route('GET', '/events', async (call) => {
    const sinceNs = moment(call, 'since');
    const untilNs = moment(call, 'until');
    if (sinceNs !== undefined && untilNs !== undefined && untilNs < sinceNs)
      throw invalid('`since` time (' + seconds(sinceNs) + ') cannot be after `until` time (' + seconds(untilNs) + ')');
    const stream = events.stream({ sinceNs, untilNs, filters: call.query.filters(), signal: call.signal });
    call.begin('application/json');
    for await (const event of stream) await call.write(`${JSON.stringify(event)}\n`);
    call.response.end();
  }),
];

const seconds = (ns: bigint) => `${ns / 1_000_000_000n}.${(ns % 1_000_000_000n).toString().padStart(9, '0')}`;

function moment(call: Call, name: string): bigint | undefined {
  const text = call.query.text(name);
  return text === undefined ? undefined : parseTimestampNs(text);
}
