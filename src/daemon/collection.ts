import { Filters, type Logger } from '../common/index.ts';
import type { Engine } from '../engine/index.ts';
import { startGc } from '../images/index.ts';
import type { Settings } from './settings.ts';

const INTERVAL_MS = 10 * 60_000;
/** What a broken pull had fetched is kept so long, for the next try. What a load or build left goes at once. */
const ORPHANS_MS = 24 * 3600_000;

/** Rule after rule, as dockerd: an early one says what may go first, the last what must. */
async function collectCache(build: Engine['build'], rules: Settings['collection']['build']): Promise<void> {
  for (const { all, filters, limits } of rules)
    await build.prune({ all, limits, filters: Filters.parse(JSON.stringify(filters)) });
}

export interface CollectionParts {
  build: Engine['build'];
  images: Engine['images'];
  settings: () => Settings['collection'];
  log: Logger;
}

/**
 * Gives disk space back. From time to time what the build cache has above its limit, images that a policy (`gc`) lets go, and what a
 * crash or a broken pull left and nobody came back for.
 */
export function startCollection({ build, images, settings, log }: CollectionParts): { stop(): void } {
  const guard = (what: string, work: Promise<unknown>) =>
    void work.catch((error: unknown) => log.warn(what, { error }));
  const orphans = () => guard('collection of images', images.collect({ olderThanMs: ORPHANS_MS }));
  orphans();
  const timer = setInterval(() => {
    orphans();
    guard('collection of the build cache', collectCache(build, settings().build));
  }, INTERVAL_MS);
  timer.unref();
  const gc = startGc({ images, policy: () => settings().images, log });
  return {
    stop: () => {
      clearInterval(timer);
      gc.stop();
    },
  };
}
