import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { invalid } from '../common/index.ts';
import { hexOf } from './chain.ts';

/** Where things are on disk. */
export interface Places {
  dir: string;
  /** A lower directory for snapshots over nothing: overlayfs wants one. */
  empty: string;
  snapshots: string;
  /** What is being made or removed; emptied at start. */
  passing: string;
  /** Of the mounts; cleared by a reboot. */
  mounts: string;
  layer(chainId: string): string;
  snapshot(id: string): string;
  upper(id: string): string;
  work(id: string): string;
  merged(id: string): string;
  /** A fresh name for something on its way. */
  passingName(): string;
}

const safe = (id: string): string => {
  if (!/^[A-Za-z0-9][A-Za-z0-9_.-]{0,199}$/.test(id)) throw invalid(`invalid snapshot id ${JSON.stringify(id)}`);
  return id;
};

export function openPlaces(dir: string, execRoot: string): Places {
  const places: Places = {
    dir,
    empty: join(dir, 'empty'),
    snapshots: join(dir, 'snapshots'),
    passing: join(dir, 'passing'),
    mounts: join(execRoot, 'snapshots'),
    layer: (chainId) => join(dir, hexOf(chainId)),
    snapshot: (id) => join(dir, 'snapshots', safe(id)),
    upper: (id) => join(dir, 'snapshots', safe(id), 'fs'),
    work: (id) => join(dir, 'snapshots', safe(id), 'work'),
    merged: (id) => join(execRoot, 'snapshots', safe(id)),
    passingName: () => join(dir, 'passing', randomBytes(12).toString('hex')),
  };
  // Layers hold set-id programs of strangers: nobody but root may walk in from outside.
  for (const made of [dir, places.empty, places.snapshots, places.passing, places.mounts])
    mkdirSync(made, { recursive: true, mode: made === places.empty ? 0o755 : 0o710 });
  return places;
}
