import type { Engine } from '../../engine/index.ts';
import { ConnectNetworkBody, CreateNetworkBody, DisconnectNetworkBody } from '../../wire/index.ts';
import { type Route, route } from '../route.ts';

export function networkRoutes({ networks }: Engine): Route[] {
  return [
    route('GET', '/networks', async (call) => call.json(200, await networks.list(call.filters()))),
    route('GET', '/networks/:id', async (call) => call.json(200, await networks.inspect(call.param('id'), { verbose: call.flag('verbose'), scope: call.text('scope') }))),
    route('POST', '/networks/create', async (call) => call.json(201, await networks.create(await call.body(CreateNetworkBody)))),
    route('POST', '/networks/:id/connect', async (call) => {
      await networks.connect(call.param('id'), await call.body(ConnectNetworkBody));
      call.empty(200);
    }),
    route('POST', '/networks/:id/disconnect', async (call) => {
      await networks.disconnect(call.param('id'), await call.body(DisconnectNetworkBody));
      call.empty(200);
    }),
    route('POST', '/networks/prune', async (call) => call.json(200, await networks.prune(call.filters()))),
    route('DELETE', '/networks/:id', async (call) => {
      await networks.remove(call.param('id'));
      call.empty(204);
    }),
  ];
}
