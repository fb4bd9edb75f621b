import { invalid, parseTimestampNs } from '../common/index.ts';
import type { Engine } from '../engine/index.ts';
import type { Call } from './call.ts';
import { type Route, route } from './router.ts';

export const eventRoutes = ({ events }: Pick<Engine, 'events'>): Route[] => [
  route('GET', '/events', async (call) => {
    const sinceNs = moment(call, 'since');
    const untilNs = moment(call, 'until');
    if (sinceNs !== undefined && untilNs !== undefined && untilNs < sinceNs)
      throw invalid(
        `\`since\` time (${call.query.text('since')}) cannot be after \`until\` time (${call.query.text('until')})`,
      );
    const stream = events.stream({ sinceNs, untilNs, filters: call.query.filters(), signal: call.signal });
    call.begin('application/json');
    for await (const event of stream) await call.write(`${JSON.stringify(event)}\n`);
    call.response.end();
  }),
];

function moment(call: Call, name: string): bigint | undefined {
  const text = call.query.text(name);
  return text === undefined ? undefined : parseTimestampNs(text);
}
