import { Filters as FilterSet, type Filters, invalid, messageOf, unavailable } from '../common/index.ts';
import type { Engine } from '../engine/index.ts';
import { CreateVolumeBody } from '../wire/index.ts';
import type { Call } from './call.ts';
import { type Route, route } from './router.ts';
import { noManager } from './swarm.ts';

export const volumeRoutes = ({ volumes, archive }: Pick<Engine, 'volumes' | 'archive'>): Route[] => [
  route('GET', '/volumes', async (call) => {
    const { Volumes, Warnings } = await volumes.list(filters(call));
    call.json({ Volumes, Warnings: Warnings.length === 0 ? null : Warnings });
  }),
  route('POST', '/volumes/create', async (call) => {
    const body = await call.body(CreateVolumeBody, 'volume.CreateOptions');
    if (body.ClusterVolumeSpec !== undefined && call.version >= 42) noManager();
    call.json(await volumes.create(body), 201);
  }),
  route('POST', '/volumes/prune', async (call) => {
    const given = call.query.filters();
    // Before 1.42 a prune took named volumes too.
    const wanted = call.version < 42 ? new FilterSet([...given.map, ['all', [...given.get('all'), 'true']]]) : given;
    call.json(await volumes.prune(wanted));
  }),
  // Gantry's own: a volume's content as a tar archive, out and in.
  route('GET', '/volumes/{name...}/archive', async (call) => {
    await call.send(await archive.exportVolume(call.name, call.signal), 'application/x-tar');
  }),
  route('PUT', '/volumes/{name...}/archive', async (call) => {
    await archive.importVolume(call.name, call.request, call.signal);
    call.empty(200);
  }),
  route('GET', '/volumes/{name...}', async (call) => call.json(await volumes.inspect(call.name))),
  route('PUT', '/volumes/{name...}', () => {
    throw unavailable('volume update only valid for cluster volumes, but swarm is unavailable');
  }),
  route('DELETE', '/volumes/{name...}', async (call) => {
    await volumes.remove(call.name, { force: call.query.bool('force') });
    call.empty();
  }),
];

function filters(call: Call): Filters {
  try {
    return call.query.filters();
  } catch (error) {
    throw invalid(`error reading volume filters: ${messageOf(error)}`);
  }
}
