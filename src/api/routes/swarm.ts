import { notFound, unavailable } from '../../common/index.ts';
import { type Route, route } from '../route.ts';

const NOT_A_MANAGER = 'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.';

/** What dockerd answers outside of a swarm. Gantry is for one machine: joining one is refused. */
export function swarmRoutes(): Route[] {
  const refuse = async () => {
    throw unavailable(NOT_A_MANAGER);
  };
  const lists = ['/swarm', '/nodes', '/services', '/tasks', '/secrets', '/configs', '/swarm/unlockkey'].map((path) => route('GET', path, refuse));
  const objects = ['/nodes/:id', '/services/:id', '/tasks/:id', '/secrets/:id', '/configs/:id'].map((path) => route('GET', path, refuse));
  const makers = ['/services/create', '/secrets/create', '/configs/create', '/swarm/update', '/swarm/unlock', '/swarm/leave'].map((path) => route('POST', path, refuse));
  const joiners = ['/swarm/init', '/swarm/join'].map((path) =>
    route('POST', path, async () => {
      throw unavailable('swarm mode is not offered: Gantry runs containers on one machine');
    }),
  );
  return [
    ...lists,
    ...objects,
    ...makers,
    ...joiners,
    route('GET', '/plugins', async (call) => call.json(200, [])),
    route('GET', '/plugins/:name/json', async (call) => {
      throw notFound(`plugin "${call.param('name')}" not found`);
    }),
  ];
}
