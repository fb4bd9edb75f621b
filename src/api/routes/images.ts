import { get } from 'node:http';
import { get as getTls } from 'node:https';
import type { Readable } from 'node:stream';
import { z } from 'zod';
import { invalid, notFound } from '../../common/index.ts';
import type { Engine } from '../../engine/index.ts';
import { RegistryAuth } from '../../wire/index.ts';
import type { Call } from '../call.ts';
import { type Route, route } from '../route.ts';

/** Names hold slashes: find-my-way's wildcard takes them, the last word is the verb. */
const name = (call: Call, verb: string): string => call.param('*').slice(0, -verb.length - 1);

/** `platform` is JSON (`{"os":…}`) in new clients and `os/arch/variant` in old ones. */
function platform(call: Call): string | undefined {
  const text = call.text('platform');
  if (text === undefined || !text.startsWith('{')) return text;
  const { os, architecture, variant } = z.object({ os: z.string(), architecture: z.string(), variant: z.string().optional() }).parse(JSON.parse(text));
  return [os, architecture, variant].filter((part) => part !== undefined && part !== '').join('/');
}

function fetchUrl(url: string, signal: AbortSignal): Promise<Readable> {
  return new Promise((resolve, reject) => {
    const request = (url.startsWith('https:') ? getTls : get)(url, { signal }, (response) => {
      if (response.statusCode === 200) resolve(response);
      else reject(invalid(`failed to GET ${url} with status ${response.statusCode} ${response.statusMessage}`));
    });
    request.on('error', reject);
  });
}

export function imageRoutes({ images }: Engine): Route[] {
  const create = async (call: Call) => {
    const send = call.messages();
    const source = call.text('fromSrc');
    if (source !== undefined) {
      const archive = source === '-' ? call.request : await fetchUrl(/^https?:/.test(source) ? source : `http://${source}`, call.signal);
      const image = await images.importArchive(archive, {
        repo: call.text('repo'), tag: call.text('tag'), message: call.text('message'), changes: call.all('changes'), platform: platform(call), signal: call.signal, source,
      });
      send({ status: image.id });
      return call.endMessages();
    }
    const image = call.text('fromImage');
    if (image === undefined) throw invalid('invalid reference format');
    const tag = call.text('tag');
    await images.pull({ image, tag, all: tag === undefined && !/[:@][^/]*$/.test(image), platform: platform(call), auth: call.registryAuth(), progress: send, signal: call.signal });
    call.endMessages();
  };

  const push = async (call: Call) => {
    const send = call.messages();
    await images.push({ image: name(call, 'push'), tag: call.text('tag'), platform: platform(call), auth: call.registryAuth(), progress: send, signal: call.signal });
    call.endMessages();
  };

  const save = async (call: Call, refs: string[]) => {
    for (const ref of refs) images.resolve(ref);
    await call.stream(images.save(refs, { signal: call.signal, platform: platform(call) }), 'application/x-tar');
  };

  const show = async (call: Call) => {
    const path = call.param('*');
    if (path.endsWith('/json')) return call.json(200, await images.inspect(name(call, 'json')));
    if (path.endsWith('/history')) return call.json(200, await images.history(name(call, 'history')));
    if (path.endsWith('/get')) return save(call, [name(call, 'get')]);
    throw notFound('page not found');
  };

  return [
    route('GET', '/images/json', async (call) => {
      const rows = await images.list({ all: call.flag('all'), filters: call.filters(), sharedSize: call.flag('shared-size') });
      // VirtualSize went with v1.44.
      call.json(200, call.atLeast('1.44') ? rows : rows.map((row) => ({ ...row, VirtualSize: row.Size })));
    }),
    route('POST', '/images/create', create),
    route('POST', '/images/load', async (call) => {
      const send = call.messages();
      await images.load(call.request, { progress: send, quiet: call.flag('quiet'), signal: call.signal, platform: platform(call) });
      call.endMessages();
    }),
    route('GET', '/images/get', (call) => save(call, call.all('names').flatMap((text) => text.split(',')))),
    route('GET', '/images/search', async (call) => {
      const term = call.text('term');
      if (term === undefined) throw invalid('term cannot be empty');
      call.json(200, await images.search({ term, limit: call.integer('limit'), filters: call.filters(), auth: call.registryAuth(), signal: call.signal }));
    }),
    route('POST', '/images/prune', async (call) => call.json(200, await images.prune(call.filters()))),
    route('GET', '/images/*', show),
    route('POST', '/images/*', async (call) => {
      const path = call.param('*');
      if (path.endsWith('/push')) return push(call);
      if (!path.endsWith('/tag')) throw notFound('page not found');
      const repo = call.text('repo');
      if (repo === undefined) throw invalid('invalid reference format');
      const tag = call.text('tag');
      await images.tag(name(call, 'tag'), tag === undefined ? repo : `${repo}:${tag}`);
      call.empty(201);
    }),
    route('DELETE', '/images/*', async (call) => call.json(200, await images.remove(call.param('*'), { force: call.flag('force'), prune: !call.flag('noprune') }))),
    route('GET', '/distribution/*', async (call) => call.json(200, await images.distribution(name(call, 'json'), call.registryAuth(), call.signal))),
    route('POST', '/auth', async (call) => call.json(200, await images.login(await call.body(RegistryAuth), call.signal))),
  ];
}
