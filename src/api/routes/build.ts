import { invalid } from '../../common/index.ts';
import type { Engine } from '../../engine/index.ts';
import { type Route, route } from '../route.ts';

export function buildRoutes({ build }: Engine): Route[] {
  return [
    route('POST', '/build', async (call) => {
      const params: Record<string, string | string[]> = {};
      for (const key of new Set(call.query.keys())) {
        const values = call.all(key);
        params[key] = values.length === 1 ? values[0]! : values;
      }
      if (params.version === '2') throw invalid("BuildKit sessions are not supported by this daemon: use the classic builder (DOCKER_BUILDKIT=0) or 'gantry build'");
      const header = call.request.headers['x-registry-config'];
      let registryConfig: Record<string, unknown> = {};
      try {
        if (typeof header === 'string' && header !== '') registryConfig = JSON.parse(Buffer.from(header, 'base64').toString()) as Record<string, unknown>;
      } catch {
        registryConfig = {};
      }
      await build.build({ params, context: call.request, registryConfig, signal: call.signal, onMessage: call.messages() });
      call.endMessages();
    }),
    route('POST', '/build/prune', async (call) =>
      call.json(200, await build.prune({ all: call.flag('all'), keepStorage: call.integer('keep-storage') ?? call.integer('reserved-space'), filters: call.filters() })),
    ),
    route('POST', '/build/cancel', async (call) => call.empty(204)),
  ];
}
