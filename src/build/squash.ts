import { readdir, rm } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { decompress, extractInto, readTar, textOf, whiteoutOf, writeTar } from '../archive/index.ts';
import { newId } from '../common/index.ts';
import { type CachedStep, keyOf, type StepCache } from './cache.ts';
import { type LayerRun, makeLayer } from './layer-step.ts';
import { findStat, resolveInRoot } from './root-path.ts';
import { chainOf, idOf, type StageState } from './stage-state.ts';

/**
 * `squash`: all that a stage made over its base becomes one layer, and its history says so (moby daemon/images/image_squash.go). The same
 * image is squashed once: what comes out is remembered like a step.
 */
export async function squashed(
  run: LayerRun & { cache: StepCache; now: () => string },
  state: StageState,
  base: StageState,
): Promise<StageState> {
  const key = keyOf('squash', idOf(state), chainOf(base));
  const done = run.cache.find(key) ?? (await squash(run, key, { state, base }));
  run.keep.layers.add(done.layer!.chainId);
  run.keep.content.add(done.layer!.digest);
  const overNothing = base.imageId === undefined && base.history.length === 0;
  const comment = overNothing ? `create new from ${idOf(state)}` : `merge ${idOf(state)} to ${idOf(base)}`;
  return {
    ...state,
    imageId: undefined,
    created: done.created,
    layers: [...base.layers, done.layer!],
    history: [
      ...state.history.map((entry, index) => (index < base.history.length ? entry : { ...entry, empty_layer: true })),
      { created: done.created, comment },
    ],
    key,
  };
}

async function squash(
  run: Parameters<typeof squashed>[0],
  key: string,
  { state, base }: { state: StageState; base: StageState },
): Promise<CachedStep> {
  const { content } = run.parts;
  const layer = await makeLayer(run, { id: newId(), parent: chainOf(base) }, async (root) => {
    for (const { digest } of state.layers.slice(base.layers.length))
      await applyLayer(root, () => content.open(digest), run.signal);
    return true;
  });
  const step = { key, description: `squash ${idOf(state)}`, created: run.now(), layer };
  await run.cache.add(step);
  return step;
}

/** What a layer's archive says, done to a mounted root: first what it takes away, then what it brings. */
async function applyLayer(root: string, open: () => Promise<Readable>, signal: AbortSignal): Promise<void> {
  const entries = async () => readTar((await decompress(await open())).stream);
  for await (const { header } of await entries()) {
    signal.throwIfAborted();
    const path = namesIn(header.name);
    const whiteout = whiteoutOf(path);
    if (whiteout === undefined || whiteout.kind === 'ignore') continue;
    const directory = resolveInRoot(root, textOf(path.slice(0, -1).join('/')));
    if (findStat(directory)?.isDirectory() !== true) continue;
    const gone =
      whiteout.kind === 'remove'
        ? [Buffer.from(whiteout.name, 'latin1')]
        : await readdir(directory, { encoding: 'buffer' });
    for (const name of gone)
      await rm(Buffer.concat([Buffer.from(`${directory}/`), name]), { recursive: true, force: true });
  }
  async function* brought() {
    for await (const entry of await entries()) if (whiteoutOf(namesIn(entry.header.name)) === undefined) yield entry;
  }
  await extractInto(root, writeTar(brought()), { topEntry: true, signal });
}

const namesIn = (name: string): string[] => name.split('/').filter((part) => part !== '' && part !== '.');
