import { chmodSync, lstatSync, readdirSync, rmdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { newId } from '../common/index.ts';
import { DOCKER, type Keep } from '../images/index.ts';
import { findStat, resolveInRoot } from './root-path.ts';
import type { BuilderParts, BuiltLayer } from './types.ts';

export interface LayerRequest {
  /** Of the snapshot; people see its first twelve digits. */
  id: string;
  parent: string | undefined;
  /** The change sees nothing of the parent: its layer would be the same over any other (`--link`). */
  independent?: boolean;
  /** Absolute paths that a container's runtime makes where they are not there: they go again unless something was put in them. */
  mountPoints?: readonly string[];
}

/** The build that a layer is made for. */
export interface LayerRun {
  parts: Pick<BuilderParts, 'layers' | 'content'>;
  /** Seconds since the epoch; no file is younger. */
  epoch: number | undefined;
  /** Keeps layer and archive until a cache record or the image does. */
  keep: Keep;
  signal: AbortSignal;
}

/** What every container gets mounted. */
export const RUNTIME_MOUNTS: readonly string[] = [
  '/proc',
  '/sys',
  '/dev',
  '/etc/resolv.conf',
  '/etc/hosts',
  '/etc/hostname',
];

/** Runs `change` over a mounted snapshot and makes a layer of what it did. `change` answers false for nothing to keep. */
export async function makeLayer(
  { parts: { layers, content }, epoch, keep, signal }: LayerRun,
  { id, parent, independent = false, mountPoints = [] }: LayerRequest,
  change: (root: string) => Promise<boolean>,
): Promise<BuiltLayer | undefined> {
  await layers.createSnapshot(id, { parent: independent ? undefined : parent, owner: 'build' });
  try {
    const root = await layers.mount(id);
    const absent = missingPlaces(root, mountPoints);
    if (!(await change(root))) return undefined;
    signal.throwIfAborted();
    await layers.unmount(id);
    const { upper, lower } = layers.paths(id);
    // A stage from nothing: its root directory is like any image's.
    if (lower.length === 0) chmodSync(upper, 0o755);
    for (const path of absent) dropUnused(upper, lower, path);
    const writer = await content.ingest(keep.content);
    let blob: { digest: string; size: number };
    try {
      for await (const chunk of layers.diffTar(id, { signal, clampMtime: epoch })) await writer.write(chunk as Buffer);
      blob = await writer.commit();
    } catch (error) {
      await writer.discard();
      throw error;
    }
    // Clamped times are in the archive only, so the layer is unpacked from there; one made over nothing comes to its place that way.
    const layer =
      epoch === undefined && !independent
        ? await layers.promote(id, blob.digest, keep.layers)
        : await layers.unpack(() => content.open(blob.digest), keep.layers, { parent, diffId: blob.digest, signal });
    return {
      diffId: layer.diffId,
      chainId: layer.chainId,
      digest: blob.digest,
      size: blob.size,
      mediaType: DOCKER.layer,
    };
  } finally {
    await layers.removeSnapshot(id);
  }
}

/** The same layer over another chain. */
export async function layerOver(
  { parts: { layers, content }, keep, signal }: LayerRun,
  layer: BuiltLayer,
  parent: string | undefined,
): Promise<BuiltLayer> {
  keep.content.add(layer.digest);
  const { diffId } = layer;
  const { chainId } = await layers.unpack(() => content.open(layer.digest), keep.layers, { parent, diffId, signal });
  return { ...layer, chainId };
}

/** Mount points, and directories above them, that are not there yet; deepest first. */
function missingPlaces(root: string, paths: readonly string[]): string[] {
  const found = new Set<string>();
  for (const path of paths)
    for (let at = path; at !== '/' && at !== '.'; at = dirname(at))
      if (findStat(resolveInRoot(root, at)) === undefined) found.add(at);
  return [...found].sort((a, b) => b.length - a.length);
}

/** Takes an unused mount point out of the upper directory, and its parent if that came up only for it. */
function dropUnused(upper: string, lower: readonly string[], path: string): void {
  const here = join(upper, path);
  const stat = findStat(here);
  if (stat === undefined) return;
  if (stat.isDirectory() ? readdirSync(here).length > 0 : !stat.isFile() || stat.size > 0) return;
  if (stat.isDirectory()) rmdirSync(here);
  else rmSync(here);
  const parent = dirname(path);
  const above = join(upper, parent);
  if (parent === '/' || findStat(above)?.isDirectory() !== true || readdirSync(above).length > 0) return;
  const below = lower.map((layer) => findStat(join(layer, parent))).find((found) => found !== undefined);
  if (below === undefined) return;
  const copy = lstatSync(above);
  if (below.isDirectory() && below.mode === copy.mode && below.uid === copy.uid && below.gid === copy.gid)
    rmdirSync(above);
}

/** A chain mounted for reading, for as long as `use` runs. */
export async function withMounted<T>(
  { layers }: Pick<BuilderParts, 'layers'>,
  chain: string | undefined,
  use: (root: string) => Promise<T>,
): Promise<T> {
  const id = newId();
  await layers.createSnapshot(id, { parent: chain, owner: 'build' });
  try {
    return await use(await layers.mount(id));
  } finally {
    await layers.removeSnapshot(id);
  }
}
