import { unavailable } from '../../common/index.ts';
import type { Engine } from '../../engine/index.ts';
import { CreateVolumeBody } from '../../wire/index.ts';
import { type Route, route } from '../route.ts';

export function volumeRoutes({ volumes, archive }: Engine): Route[] {
  return [
    route('GET', '/volumes', async (call) => call.json(200, await volumes.list(call.filters()))),
    route('GET', '/volumes/:name', async (call) => call.json(200, await volumes.inspect(call.param('name')))),
    route('POST', '/volumes/create', async (call) => call.json(201, await volumes.create(await call.body(CreateVolumeBody, { optional: true })))),
    route('POST', '/volumes/prune', async (call) => call.json(200, await volumes.prune(call.filters()))),
    route('DELETE', '/volumes/:name', async (call) => {
      await volumes.remove(call.param('name'), { force: call.flag('force') });
      call.empty(204);
    }),
    route('PUT', '/volumes/:name', async () => {
      throw unavailable('This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.');
    }),
    // Gantry's own: a volume's content as a tar, out and in.
    route('GET', '/volumes/:name/archive', async (call) => call.stream(await archive.exportVolume(call.param('name'), call.signal), 'application/x-tar')),
    route('PUT', '/volumes/:name/archive', async (call) => {
      await archive.importVolume(call.param('name'), call.request, call.signal);
      call.empty(200);
    }),
  ];
}
