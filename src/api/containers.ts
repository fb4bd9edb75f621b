import { invalid, unsupported } from '../common/index.ts';
import type { Engine } from '../engine/index.ts';
import { ContainerConfig, CreateContainerBody, UpdateContainerBody } from '../wire/index.ts';
import type { Call } from './call.ts';
import { containerInspect, containerSummary, createBody, createWarnings, updateBody } from './compatibility.ts';
import { type Route, route } from './router.ts';

export const containerRoutes = ({ containers }: Pick<Engine, 'containers'>): Route[] => [
  route('GET', '/containers/json', async (call) => {
    const { query, version } = call;
    const list = await containers.list({
      all: query.bool('all'),
      limit: query.int('limit'),
      size: query.bool('size'),
      filters: query.filters(),
    });
    call.json(list.map((item) => containerSummary(item, version)));
  }),
  route('POST', '/containers/create', async (call) => {
    const body = await call.neededBody(CreateContainerBody, 'container.CreateRequest');
    const { query, version } = call;
    const { Id, Warnings } = await containers.create(createBody(body, version), {
      name: query.text('name'),
      platform: query.text('platform'),
    });
    call.json({ Id, Warnings: [...createWarnings(body, version), ...Warnings] }, 201);
  }),
  route('POST', '/containers/prune', async (call) => {
    const { ContainersDeleted: gone, SpaceReclaimed } = await containers.prune(call.query.filters());
    call.json({ ContainersDeleted: gone.length === 0 ? null : gone, SpaceReclaimed });
  }),
  route('GET', '/containers/{name...}/json', async (call) =>
    call.json(containerInspect(await containers.inspect(call.name, { size: call.query.bool('size') }), call.version)),
  ),
  route('GET', '/containers/{name...}/top', async (call) =>
    call.json(await containers.top(call.name, call.query.text('ps_args') ?? '-ef')),
  ),
  route('GET', '/containers/{name...}/changes', async (call) => {
    const changes = await containers.changes(call.name);
    call.json(changes.length === 0 ? null : changes);
  }),
  route('POST', '/containers/{name...}/start', async (call) => {
    refuseBody(call);
    if (call.query.text('checkpoint')) refuseCheckpoints();
    await containers.start(call.name, { detachKeys: call.query.text('detachKeys') });
    call.empty();
  }),
  route('POST', '/containers/{name...}/stop', async (call) => {
    await containers.stop(call.name, stopOptions(call));
    call.empty();
  }),
  route('POST', '/containers/{name...}/restart', async (call) => {
    await containers.restart(call.name, stopOptions(call));
    call.empty();
  }),
  route('POST', '/containers/{name...}/kill', async (call) => {
    await containers.kill(call.name, { stopSignal: call.query.text('signal') });
    call.empty();
  }),
  route('POST', '/containers/{name...}/pause', async (call) => {
    await containers.pause(call.name);
    call.empty();
  }),
  route('POST', '/containers/{name...}/unpause', async (call) => {
    await containers.unpause(call.name);
    call.empty();
  }),
  route('POST', '/containers/{name...}/rename', async (call) => {
    const name = call.query.text('name');
    if (name === undefined) throw invalid('Neither old nor new names may be empty');
    await containers.rename(call.name, name);
    call.empty();
  }),
  route('POST', '/containers/{name...}/resize', async (call) => {
    await containers.resize(call.name, size(call));
    call.empty(200);
  }),
  route('POST', '/containers/{name...}/update', async (call) => {
    const body = await call.body(UpdateContainerBody, 'container.UpdateConfig');
    const { Warnings } = await containers.update(call.name, updateBody(body, call.version));
    call.json({ Warnings: Warnings.length === 0 ? null : Warnings });
  }),
  route('POST', '/commit', async (call) => {
    const { query } = call;
    const config = await call.body(ContainerConfig, 'container.CreateRequest');
    const answer = await containers.commit(query.text('container') ?? '', {
      repo: query.text('repo'),
      tag: query.text('tag'),
      comment: query.text('comment'),
      author: query.text('author'),
      pause: query.bool('pause', true),
      changes: query.all('changes'),
      config,
      signal: call.signal,
    });
    call.json(answer, 201);
  }),
  ...['GET', 'POST'].map((method) => route(method, '/containers/{name...}/checkpoints', refuseCheckpoints)),
  route('DELETE', '/containers/{name...}/checkpoints/{checkpoint}', refuseCheckpoints),
  route('DELETE', '/containers/{name...}', async (call) => {
    const { query } = call;
    await containers.remove(call.name, {
      force: query.bool('force'),
      volumes: query.bool('v'),
      link: query.bool('link'),
    });
    call.empty();
  }),
];

/** Before API 1.22 a start could carry a HostConfig; a body of a few bytes (`{}`, `null`) is still let pass, as moby does. */
function refuseBody(call: Call): void {
  const length = call.request.headers['content-length'];
  if (Number(length ?? 0) > 7 || (length === undefined && call.request.headers['transfer-encoding'] !== undefined))
    throw invalid('starting container with non-empty request body was deprecated since API v1.22 and removed in v1.24');
}

function stopOptions({ query, version }: Call): { timeoutS?: number; stopSignal?: string } {
  return { timeoutS: query.int('t'), stopSignal: version >= 42 ? query.text('signal') : undefined };
}

/** Rows and columns of `h` and `w`, both needed. */
export function size({ query }: Pick<Call, 'query'>): { rows: number; columns: number } {
  const read = (name: 'h' | 'w', what: string) => {
    const text = query.text(name) ?? '';
    if (!/^[+-]?\d+$/.test(text)) throw invalid(`invalid resize ${what} ${JSON.stringify(text)}: invalid syntax`);
    if (Number(text) < 0 || Number(text) > 0xffffffff)
      throw invalid(`invalid resize ${what} ${JSON.stringify(text)}: value out of range`);
    return Number(text);
  };
  return { rows: read('h', 'height'), columns: read('w', 'width') };
}

function refuseCheckpoints(): never {
  throw unsupported('checkpoints are not supported by this engine');
}
