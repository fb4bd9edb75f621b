import { invalid, notFound, parseBytes } from '../common/index.ts';
import type { Engine } from '../engine/index.ts';
import type { Call } from './call.ts';
import { type Route, route } from './router.ts';

export const buildRoutes = ({ build }: Pick<Engine, 'build'>): Route[] => [
  route('POST', '/build', async (call) => {
    const messages = call.messages();
    await messages.run(() =>
      build.build({
        params: call.query.entries(),
        context: call.request,
        registryConfig: registryConfig(call),
        signal: call.signal,
        onMessage: messages.send,
      }),
    );
  }),
  route('POST', '/build/prune', async (call) => {
    const { query } = call;
    const keep = query.text('reserved-space') ?? query.text('keep-storage');
    const { CachesDeleted, SpaceReclaimed } = await build.prune({
      all: query.bool('all'),
      keepStorage: keep === undefined ? undefined : parseBytes(keep),
      filters: query.filters(),
    });
    call.json({ CachesDeleted: CachesDeleted.length === 0 ? null : CachesDeleted, SpaceReclaimed });
  }),
  route('POST', '/build/cancel', (call) => {
    if (call.query.text('id') === undefined) throw invalid('build ID not provided');
    // Only BuildKit's builds have ids; one of this builder is cancelled by hanging up.
    throw notFound(`no such build: ${call.query.text('id')}`);
  }),
];

/** `X-Registry-Config`: base64url of a JSON object of credentials by registry. One that cannot be read counts as none, as in moby. */
function registryConfig(call: Call): Record<string, unknown> {
  const header = call.request.headers['x-registry-config'];
  if (typeof header !== 'string') return {};
  try {
    const value: unknown = JSON.parse(Buffer.from(header, 'base64url').toString());
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
