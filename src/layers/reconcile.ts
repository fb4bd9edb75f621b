import { existsSync, rmdirSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { removeTree } from '../archive/index.ts';
import { type Logger, messageOf } from '../common/index.ts';
import { unmount } from '../sys/index.ts';
import type { Places } from './places.ts';
import type { Records } from './records.ts';
import { discard } from './removal.ts';

/**
 * Makes disk, mounts and database agree after a crash: mounts that nobody keeps go, directories without a row are half-made or
 * half-removed and go, rows without a directory go. `mounted` is brought up to date.
 */
export async function reconcile(
  places: Places,
  records: Records,
  mounted: Set<string>,
  keepMounted: (id: string) => boolean,
  log: Logger,
): Promise<void> {
  for (const id of await readdir(places.mounts)) {
    if (mounted.has(id) && records.snapshot(id) !== undefined && keepMounted(id)) continue;
    try {
      if (mounted.delete(id)) unmount(join(places.mounts, id));
      rmdirSync(join(places.mounts, id));
    } catch (error) {
      log.warn('a left-over mount is not removed', { snapshot: id, error: messageOf(error) });
    }
  }
  for (const name of await readdir(places.passing)) await removeTree(join(places.passing, name));
  for (const name of await readdir(places.snapshots))
    if (records.snapshot(name) === undefined) await discard(places, join(places.snapshots, name));
  for (const name of await readdir(places.dir))
    if (/^[0-9a-f]{64}$/.test(name) && records.layer(`sha256:${name}`) === undefined)
      await discard(places, join(places.dir, name));
  dropLostLayers(places, records, log);
}

/** A row without its directory: the layer cannot be used, nor what stands on it. */
function dropLostLayers(places: Places, records: Records, log: Logger): void {
  const lost = new Set<string>();
  // In the order they were made: a parent comes before its children.
  const layers = records.layers();
  for (const { chainId, parent } of layers)
    if (!existsSync(places.layer(chainId)) || (parent !== undefined && lost.has(parent))) lost.add(chainId);
  for (const { chainId } of layers.reverse()) {
    if (!lost.has(chainId)) continue;
    const { snapshots, layers: children } = records.users(chainId);
    log.error('a layer is lost', { chainId, snapshots });
    // A container's record must stay, so that the container can be removed in its usual way.
    if (snapshots + children === 0) records.removeLayer(chainId);
  }
}
