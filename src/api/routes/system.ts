import { invalid, parseTimestampNs } from '../../common/index.ts';
import type { Engine } from '../../engine/index.ts';
import type { Call } from '../call.ts';
import { type Route, route } from '../route.ts';

const TYPES = ['container', 'image', 'volume', 'build-cache'] as const;

export function systemRoutes({ system, events }: Engine): Route[] {
  const ping = async (call: Call) => {
    // The classic builder: clients that know BuildKit then do not ask for its sessions.
    call.response.setHeader('Builder-Version', '1');
    call.response.setHeader('Cache-Control', 'no-cache, no-store, must-revalidate');
    call.response.setHeader('Pragma', 'no-cache');
    call.response.setHeader('Swarm', 'inactive');
    call.plain(200, call.request.method === 'HEAD' ? '' : 'OK');
  };
  const stream = async (call: Call) => {
    const filters = call.filters();
    const since = call.text('since');
    const until = call.text('until');
    const send = call.messages();
    call.flushHeaders('application/json');
    for await (const event of events.stream({
      sinceNs: since === undefined ? undefined : parseTimestampNs(since),
      untilNs: until === undefined ? undefined : parseTimestampNs(until),
      filters,
      signal: call.signal,
    }))
      send(event);
    call.endMessages();
  };
  return [
    route('GET', '/_ping', ping),
    route('HEAD', '/_ping', ping),
    route('GET', '/version', async (call) => call.json(200, await system.version())),
    route('GET', '/info', async (call) => call.json(200, await system.info())),
    route('GET', '/events', stream),
    route('GET', '/system/df', async (call) => {
      const asked = call.all('type');
      for (const type of asked) if (!TYPES.some((known) => known === type)) throw invalid(`unknown object type: ${type}`);
      call.json(200, await system.diskUsage(new Set(asked.length === 0 ? TYPES : TYPES.filter((type) => asked.includes(type)))));
    }),
  ];
}
