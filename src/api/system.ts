import { invalid, unsupported } from '../common/index.ts';
import type { Engine } from '../engine/index.ts';
import type { Call } from './call.ts';
import { diskUsage, info } from './compatibility.ts';
import { type Route, route } from './router.ts';

type UsageType = 'container' | 'image' | 'volume' | 'build-cache';
const USAGE_TYPES: readonly UsageType[] = ['container', 'image', 'volume', 'build-cache'];

export const systemRoutes = ({ system }: Pick<Engine, 'system'>): Route[] => [
  route('GET', '/_ping', ping),
  route('HEAD', '/_ping', ping),
  // Whether there is such a path or not, as in moby.
  route('OPTIONS', '/{name...}', (call) => call.empty(200)),
  route('GET', '/version', async (call) => call.json(await system.version())),
  route('GET', '/info', async (call) => call.json(info(await system.info(), call.version))),
  route('GET', '/system/df', async (call) => {
    // The types came with 1.42.
    const types = call.version < 42 ? [] : call.query.all('type');
    for (const type of types)
      if (!(USAGE_TYPES as readonly string[]).includes(type)) throw invalid(`unknown object type: ${type}`);
    call.json(
      diskUsage(
        await system.diskUsage(new Set(types.length === 0 ? USAGE_TYPES : (types as UsageType[]))),
        call.version,
      ),
    );
  }),
  { ...route('POST', '/session', refuseSession), hijack: true },
  { ...route('POST', '/grpc', refuseSession), hijack: true },
];

function ping(call: Call): void {
  const { response } = call;
  response.setHeader('Cache-Control', 'no-cache, no-store, must-revalidate');
  response.setHeader('Pragma', 'no-cache');
  // The Docker CLI asks by this for the builder that Gantry has: classic, over POST /build.
  response.setHeader('Builder-Version', '1');
  response.setHeader('Swarm', 'inactive');
  response.setHeader('Content-Type', 'text/plain; charset=utf-8');
  const body = call.request.method === 'HEAD' ? '' : 'OK';
  response.setHeader('Content-Length', body.length);
  response.end(body);
}

function refuseSession(call: Call): void {
  if (call.request.headers.upgrade === undefined) throw invalid('no upgrade proto in request');
  throw unsupported('BuildKit sessions are not supported: build with POST /build (DOCKER_BUILDKIT=0)');
}
