import { Filters, type Logger } from '../common/index.ts';
import type { Engine } from '../engine/index.ts';
import type { Settings } from './settings.ts';

const INTERVAL_MS = 10 * 60_000;

export interface CollectionParts {
  build: Engine['build'];
  images: Engine['images'];
  settings: () => Settings['collection'];
  log: Logger;
}

/** Gives disk space back: at the start what a crash left of images, from time to time what the build cache has above its limit. */
export function startCollection({ build, images, settings, log }: CollectionParts): { stop(): void } {
  const guard = (what: string, work: Promise<unknown>) =>
    void work.catch((error: unknown) => log.warn(what, { error }));
  guard('collection of images', images.collect());
  const timer = setInterval(() => {
    const { enabled, keepBytes } = settings();
    if (!enabled || keepBytes === undefined) return;
    guard('collection of the build cache', build.prune({ all: false, keepStorage: keepBytes, filters: new Filters() }));
  }, INTERVAL_MS);
  timer.unref();
  return { stop: () => clearInterval(timer) };
}
