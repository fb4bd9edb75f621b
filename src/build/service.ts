import { mkdir, statfs } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { removeTree } from '../archive/index.ts';
import { unavailable } from '../common/index.ts';
import { chainIds } from '../images/index.ts';
import { type BuilderState, buildImage } from './builder.ts';
import { StepCache } from './cache.ts';
import { bytesToKeep } from './cache-limits.ts';
import { CacheMounts } from './cache-mounts.ts';
import { type CacheSource, prunable, usageRow } from './cache-records.ts';
import { Flights, Gate } from './flights.ts';
import { KeptContexts } from './kept/contexts.ts';
import { SecretBox } from './secret-box.ts';
import { dropSessions } from './session.ts';
import { imageTree } from './tree-output.ts';
import type { BuilderParts, BuildService, BuiltLayer } from './types.ts';

/** Steps that only wait (a download, a sleep) should not keep others from running: more places than cores. */
const STEPS_PER_CORE = 4;

/** Opens the builder; takes away what a crashed daemon's builds left. Call after the layers' reconcile. */
export async function openBuilder(parts: BuilderParts): Promise<BuildService> {
  const builder: BuilderState = {
    parts,
    cache: new StepCache(parts),
    flights: new Flights(),
    gate: new Gate(STEPS_PER_CORE * availableParallelism()),
    builds: join(parts.dataRoot, 'build', 'running'),
    cacheMounts: new CacheMounts(join(parts.dataRoot, 'build', 'cache-mounts')),
    secrets: new SecretBox(),
    sessions: join(parts.execRoot, 'build'),
  };
  for (const { id, owner } of parts.layers.snapshots()) if (owner === 'build') await parts.layers.removeSnapshot(id);
  await builder.cache.dropOrphans();
  await mkdir(join(parts.dataRoot, 'build'), { recursive: true, mode: 0o711 });
  await removeTree(builder.builds);
  dropSessions(builder.sessions);
  const contexts = await KeptContexts.open(join(parts.dataRoot, 'build', 'contexts'));
  const imageLayers = () => {
    const chains = new Set(parts.images.all().flatMap((image) => chainIds(image.diffIds)));
    return (layer: BuiltLayer) => chains.has(layer.chainId);
  };
  const sources: CacheSource[] = [
    { records: () => builder.cache.records(imageLayers()), remove: (ids) => builder.cache.remove(ids) },
    contexts,
    builder.cacheMounts,
  ];
  const closing = new AbortController();
  const running = new Set<Promise<void>>();
  return {
    async build(options) {
      if (closing.signal.aborted) throw unavailable('the daemon is shutting down');
      const signal = AbortSignal.any([options.signal, closing.signal]);
      const work = buildImage(builder, { ...options, signal });
      running.add(work);
      try {
        await work;
      } finally {
        running.delete(work);
      }
    },
    receiveFiles: ({ buildId, content, signal }) =>
      builder.secrets.during(buildId, () => contexts.receive(content, AbortSignal.any([signal, closing.signal]))),
    addSecret: ({ buildId, id, content }) => builder.secrets.put(buildId, id, content),
    tree: ({ image, signal }) => imageTree(parts, image, AbortSignal.any([signal, closing.signal])),
    async prune({ all, limits = {}, filters }) {
      const { bavail, bsize } = await statfs(parts.dataRoot);
      const records = await Promise.all(sources.map((source) => source.records()));
      const total = records.flat().reduce((sum, { bytes }) => sum + bytes, 0);
      const keep = bytesToKeep(limits, total, bavail * bsize);
      const chosen = new Map(prunable(records.flat(), { all, keep, filters }).map((record) => [record.id, record]));
      const gone = await Promise.all(sources.map((source) => source.remove([...chosen.keys()])));
      await parts.images.collect();
      const bytes = gone.flat().reduce((sum, id) => sum + (chosen.get(id)?.shared ? 0 : chosen.get(id)!.bytes), 0);
      parts.emit('prune', { reclaimed: String(bytes) });
      return { CachesDeleted: gone.flat(), SpaceReclaimed: bytes };
    },
    diskUsage: async () =>
      (await Promise.all(sources.map((source) => source.records()))).flatMap((records) => records.map(usageRow)),
    async close() {
      closing.abort();
      await Promise.allSettled(running);
    },
  };
}
