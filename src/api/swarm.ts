import { invalid, notFound, unavailable, unsupported } from '../common/index.ts';
import type { Call } from './call.ts';
import { type Route, route } from './router.ts';

const NO_MANAGER =
  'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.';

/** The answers of a dockerd outside a swarm, without plugins of the managed kind. */
export const swarmRoutes = (): Route[] => [
  route('POST', '/swarm/init', refuseSwarm),
  route('POST', '/swarm/join', refuseSwarm),
  route('POST', '/swarm/leave', () => {
    throw unavailable('This node is not part of a swarm');
  }),
  route('POST', '/swarm/update', versioned('swarm')),
  route('POST', '/nodes/{id}/update', versioned('node')),
  route('POST', '/services/{id}/update', versioned('service')),
  ...[
    '/swarm{rest...}',
    '/nodes{rest...}',
    '/services{rest...}',
    '/tasks{rest...}',
    '/secrets{rest...}',
    '/configs{rest...}',
  ].flatMap((pattern) => [
    route('GET', pattern, ({ query }) => {
      query.filters();
      noManager();
    }),
    ...['POST', 'DELETE'].map((method) => route(method, pattern, noManager)),
  ]),
  route('GET', '/plugins', (call) => {
    call.query.filters();
    call.json([]);
  }),
  route('GET', '/plugins/privileges', (call) => call.json([])),
  route('POST', '/plugins/pull', refusePlugins),
  route('POST', '/plugins/create', refusePlugins),
  route('GET', '/plugins/{name...}/json', noPlugin),
  ...['enable', 'disable', 'push', 'upgrade', 'set'].map((verb) =>
    route('POST', `/plugins/{name...}/${verb}`, noPlugin),
  ),
  route('DELETE', '/plugins/{name...}', noPlugin),
];

/** An update names the version of the object that it changes; that is looked at first. */
const versioned =
  (what: string) =>
  ({ query }: Call): void => {
    const version = query.text('version') ?? '';
    if (!/^\d+$/.test(version))
      throw invalid(
        `invalid ${what} version '${version}': strconv.ParseUint: parsing ${JSON.stringify(version)}: invalid syntax`,
      );
    noManager();
  };

export function noManager(): void {
  throw unavailable(NO_MANAGER);
}
function refuseSwarm(): void {
  throw unsupported('swarm mode is not supported by this engine');
}
function refusePlugins(): void {
  throw unsupported(
    'managed plugins are not supported by this engine; volume plugins are found in /run/docker/plugins',
  );
}
function noPlugin(call: Call): void {
  throw notFound(`plugin ${JSON.stringify(call.name)} not found`);
}
