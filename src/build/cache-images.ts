import type { Image, Keep } from '../images/index.ts';
import { type StageState, stateOfImage } from './stage-state.ts';
import type { BuilderParts, BuiltLayer } from './types.ts';

/**
 * The images of `cachefrom`. Names that are not here are passed over, as dockerd does, or `pull`ed; one that cannot be had is no cache, and
 * no reason to fail.
 */
export async function cacheImages(
  { images, content }: Pick<BuilderParts, 'images' | 'content'>,
  keep: Keep,
  names: readonly string[],
  pull: ((name: string) => Promise<Image>) | undefined,
): Promise<StageState[]> {
  const found = await Promise.all(
    names.map(async (name) => images.find(name) ?? (await pull?.(name).catch(() => undefined))),
  );
  const present = found.filter((image) => image !== undefined);
  return await Promise.all(present.map((image) => stateOfImage(image, content, keep)));
}

export interface TakenStep {
  created: string;
  layer: BuiltLayer | undefined;
}

/** The step as one of these images has it: their histories must be the same up to here, and so must the layers. */
export function takeFrom(images: readonly StageState[], state: StageState, createdBy: string): TakenStep | undefined {
  for (const image of images) {
    const entry = image.history[state.history.length];
    if (entry === undefined || entry.created_by !== createdBy || entry.created === undefined) continue;
    if (!state.history.every((known, index) => image.history[index]?.created_by === known.created_by)) continue;
    if (!state.layers.every((layer, index) => image.layers[index]?.diffId === layer.diffId)) continue;
    const layer = entry.empty_layer === true ? undefined : image.layers[state.layers.length];
    if (entry.empty_layer !== true && layer === undefined) continue;
    return { created: entry.created, layer };
  }
  return undefined;
}
