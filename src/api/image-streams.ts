import { invalid } from '../common/index.ts';
import type { Engine } from '../engine/index.ts';
import type { Call } from './call.ts';
import { platformOf } from './platforms.ts';
import { openRemote } from './remote-source.ts';
import { type Route, route } from './router.ts';

/** What moves images in and out: archives as bodies, progress as a stream of messages. */
export const imageStreamRoutes = ({ images }: Pick<Engine, 'images'>): Route[] => [
  route('POST', '/images/create', (call) =>
    call.query.text('fromImage') === undefined ? importImage(call, images) : pull(call, images),
  ),
  route('POST', '/images/load', async (call) => {
    const messages = call.messages();
    const { query, signal } = call;
    const platform = platformOf(query);
    // Even what is wrong with an archive at its first byte is said in the stream: clients look for it there.
    messages.begin();
    await messages.run(() =>
      images.load(call.request, {
        progress: messages.send,
        quiet: query.bool('quiet'),
        signal,
        platform,
      }),
    );
  }),
  route('GET', '/images/get', async (call) => {
    const names = call.query.all('names').flatMap((name) => name.split(','));
    await save(call, names, images);
  }),
  route('GET', '/images/{name...}/get', (call) => save(call, [call.name], images)),
  route('POST', '/images/{name...}/push', async (call) => {
    const messages = call.messages();
    const { query, signal } = call;
    const auth = call.registryAuth();
    const platform = platformOf(query);
    await messages.run(() =>
      images.push({ image: call.name, tag: query.text('tag'), platform, auth, progress: messages.send, signal }),
    );
  }),
];

async function pull(call: Call, images: Engine['images']): Promise<void> {
  const messages = call.messages();
  const { query, signal } = call;
  const image = query.text('fromImage') ?? '';
  const tag = query.text('tag');
  const auth = call.registryAuth();
  const platform = query.text('platform')?.toLowerCase();
  // A name alone is all of its tags: clients send `latest` where they mean it.
  const all = tag === undefined || tag === '';
  await messages.run(() => images.pull({ image, tag, all, platform, auth, progress: messages.send, signal }));
}

async function importImage(call: Call, images: Engine['images']): Promise<void> {
  const { query, signal } = call;
  const source = query.text('fromSrc');
  if (source === undefined) throw invalid('fromImage or fromSrc is needed');
  const messages = call.messages();
  await messages.run(async () => {
    const archive = source === '-' ? call.request : await openRemote(images, source, messages.send, signal);
    const image = await images.importArchive(archive, {
      repo: query.text('repo'),
      tag: query.text('tag'),
      message: query.text('message'),
      changes: query.all('changes'),
      platform: query.text('platform')?.toLowerCase(),
      signal,
      source,
    });
    messages.send({ status: image.id });
  });
}

async function save(call: Call, names: string[], images: Engine['images']): Promise<void> {
  const platform = platformOf(call.query);
  await call.send(images.save(names, { signal: call.signal, platform }), 'application/x-tar');
}
