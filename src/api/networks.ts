import { invalid, notGoBool, parseGoBool } from '../common/index.ts';
import type { Engine } from '../engine/index.ts';
import { ConnectNetworkBody, CreateNetworkBody, DisconnectNetworkBody } from '../wire/index.ts';
import type { Call } from './call.ts';
import { type Route, route } from './router.ts';

export const networkRoutes = ({ networks }: Pick<Engine, 'networks'>): Route[] => [
  route('GET', '/networks', (call) => list(call, networks)),
  route('GET', '/networks/', (call) => list(call, networks)),
  route('POST', '/networks/create', async (call) => {
    const body = await call.body(CreateNetworkBody, 'network.CreateRequest');
    call.json(await networks.create(body), 201);
  }),
  route('POST', '/networks/prune', async (call) => {
    const { NetworksDeleted } = await networks.prune(call.query.filters());
    call.json({ NetworksDeleted: NetworksDeleted.length === 0 ? null : NetworksDeleted });
  }),
  route('POST', '/networks/{name...}/connect', async (call) => {
    await networks.connect(call.name, await call.body(ConnectNetworkBody, 'network.ConnectOptions'));
    call.empty(200);
  }),
  route('POST', '/networks/{name...}/disconnect', async (call) => {
    await networks.disconnect(call.name, await call.body(DisconnectNetworkBody, 'network.DisconnectOptions'));
    call.empty(200);
  }),
  route('GET', '/networks/{name...}', async (call) => {
    const { query } = call;
    const verbose = query.text('verbose');
    if (verbose !== undefined && parseGoBool(verbose) === undefined)
      throw invalid(`invalid value for verbose: ${verbose}: ${notGoBool(verbose)}`);
    call.json(await networks.inspect(call.name, { verbose: query.bool('verbose'), scope: query.text('scope') }));
  }),
  route('DELETE', '/networks/{name...}', async (call) => {
    await networks.remove(call.name);
    call.empty();
  }),
];

async function list(call: Call, networks: Engine['networks']): Promise<void> {
  call.json(await networks.list(call.query.filters()));
}
