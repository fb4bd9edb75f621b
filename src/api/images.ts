import { invalid } from '../common/index.ts';
import type { Engine } from '../engine/index.ts';
import { imageInspect, listedImage } from './compatibility.ts';
import { platformOf, platformsOf } from './platforms.ts';
import { type Route, route } from './router.ts';

/** moby registry/search.go */
const MAX_SEARCH = 100;

export const imageRoutes = ({ images }: Pick<Engine, 'images'>): Route[] => [
  route('GET', '/images/json', async (call) => {
    const { query, version } = call;
    const list = await images.list({
      all: query.bool('all'),
      filters: query.filters(),
      sharedSize: query.bool('shared-size'),
    });
    call.json(list.map((item) => listedImage({ ...item }, version)));
  }),
  route('GET', '/images/search', async (call) => {
    const { query, signal } = call;
    const limit = limitOf(query.text('limit'));
    if (limit !== undefined && limit !== 0 && (limit < 1 || limit > MAX_SEARCH))
      throw invalid(`limit ${limit} is outside the range of [1, ${MAX_SEARCH}]`);
    call.json(
      await images.search({
        term: query.text('term') ?? '',
        limit: limit || undefined,
        filters: query.filters(),
        auth: call.registryAuth(),
        signal,
      }),
    );
  }),
  route('POST', '/images/prune', async (call) => {
    const { ImagesDeleted, SpaceReclaimed } = await images.prune(call.query.filters());
    call.json({ ImagesDeleted: ImagesDeleted.length === 0 ? null : ImagesDeleted, SpaceReclaimed });
  }),
  route('GET', '/images/{name...}/json', async (call) => {
    const platform = platformOf(call.query);
    if (platform !== undefined && call.query.bool('manifests'))
      throw invalid('conflicting options: manifests and platform options cannot both be set');
    if (platform !== undefined) images.resolve(call.name, platform);
    call.json(imageInspect(await images.inspect(call.name), call.version));
  }),
  route('GET', '/images/{name...}/history', async (call) => {
    const platform = platformOf(call.query);
    if (platform !== undefined) images.resolve(call.name, platform);
    call.json(await images.history(call.name));
  }),
  route('POST', '/images/{name...}/tag', async (call) => {
    const { query } = call;
    const repo = query.text('repo') ?? '';
    const tag = query.text('tag');
    await images.tag(call.name, tag === undefined ? repo : `${repo}:${tag}`);
    call.empty(201);
  }),
  route('DELETE', '/images/{name...}', async (call) => {
    const { query } = call;
    if (call.name === '') throw invalid('image name cannot be blank');
    for (const platform of platformsOf(query)) images.resolve(call.name, platform);
    call.json(await images.remove(call.name, { force: query.bool('force'), prune: !query.bool('noprune') }));
  }),
];

function limitOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^[+-]?\d+$/.test(text))
    throw invalid(`invalid limit specified: strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`);
  return Number(text);
}
