import type { ContextSource } from '../build/index.ts';
import { invalid, notFound, parseBytes } from '../common/index.ts';
import type { Engine } from '../engine/index.ts';
import type { Call } from './call.ts';
import type { Query } from './query.ts';
import { type Route, route } from './router.ts';

export const buildRoutes = ({ build }: Pick<Engine, 'build'>): Route[] => [
  route('POST', '/build', (call) => runBuild(build, call, call.request)),
  // Gantry's own: of a directory only those files come that are not here (wire/build-files.ts).
  route('POST', '/build/files', async (call) => {
    const { query, request, signal } = call;
    const received = await build.receiveFiles({ buildId: query.text('buildid') ?? '', content: request, signal });
    if ('missing' in received) return call.json(received.missing, 202);
    try {
      await runBuild(build, call, received.context);
    } finally {
      received.context.end();
    }
  }),
  // Gantry's own: secrets come ahead of the build whose id they name.
  route('POST', '/build/secrets', async (call) => {
    const { query, request } = call;
    await build.addSecret({ buildId: query.text('buildid') ?? '', id: query.text('id') ?? '', content: request });
    call.empty(204);
  }),
  // Gantry's own: what outputs of type local and tar hold.
  route('GET', '/build/tree', (call) =>
    call.send(build.tree({ image: call.query.text('image') ?? '', signal: call.signal }), 'application/x-tar'),
  ),
  route('POST', '/build/prune', async (call) => {
    const { query } = call;
    const { CachesDeleted, SpaceReclaimed } = await build.prune({
      all: query.bool('all'),
      limits: {
        reserved: bytes(query, 'reserved-space') ?? bytes(query, 'keep-storage'),
        maxUsed: bytes(query, 'max-used-space'),
        minFree: bytes(query, 'min-free-space'),
      },
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

async function runBuild(build: Engine['build'], call: Call, context: ContextSource): Promise<void> {
  // Over TCP the path would be one of another machine.
  if (call.query.text('ssh') !== undefined && call.request.socket.remoteAddress !== undefined)
    throw invalid("SSH agents are bound by their socket's path: this needs a client on the daemon's Unix socket");
  const messages = call.messages();
  await messages.run(() =>
    build.build({
      params: call.query.entries(),
      context,
      registryConfig: registryConfig(call),
      signal: call.signal,
      onMessage: messages.send,
    }),
  );
}

function bytes(query: Query, name: string): number | undefined {
  const text = query.text(name);
  return text === undefined ? undefined : parseBytes(text);
}

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
