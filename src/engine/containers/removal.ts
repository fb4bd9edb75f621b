import { isKind } from '../../common/index.ts';
import type { LayerStore } from '../../layers/index.ts';
import type { Monitor } from '../../runtime/index.ts';
import type { VolumeStore } from '../../volumes/index.ts';
import type { ContainerBook } from './book.ts';
import type { ContainerFiles } from './files.ts';
import type { Unfinished } from './record.ts';

export interface RemovalParts {
  book: ContainerBook;
  monitor: Monitor;
  layers: LayerStore;
  volumes: VolumeStore;
  files: ContainerFiles;
}

/** Ends a container's hold on its volumes; the anonymous ones of `doomed` go, unless another container holds them. */
export async function dropVolumes(
  id: string,
  held: readonly string[],
  doomed: readonly string[],
  { volumes }: RemovalParts,
): Promise<void> {
  for (const name of held) {
    await volumes.unmount(name, { id }).catch(() => {});
    volumes.release(name, id);
  }
  for (const name of doomed)
    if (volumes.find(name) !== undefined && volumes.holders(name).length === 0)
      await volumes.remove(name, {}).catch((error: unknown) => {
        // Another container has come (`--volumes-from`) or gone meanwhile: the last user decides.
        if (!isKind(error, 'conflict') && !isKind(error, 'not-found')) throw error;
      });
}

/** Takes the rest of a container off the machine; every step may have been done already. */
export async function takeAway({ id, volumes }: Unfinished, parts: RemovalParts): Promise<void> {
  await parts.monitor.delete(id);
  await dropVolumes(id, volumes, volumes, parts);
  await Promise.all([parts.layers.removeSnapshot(id), parts.files.remove(id)]);
  parts.book.forget(id);
}
