import { Readable } from 'node:stream';
import { packDirectory } from '../archive/index.ts';
import { newId } from '../common/index.ts';
import type { BuilderParts } from './types.ts';

type Parts = Pick<BuilderParts, 'images' | 'layers'>;

/** The file system of an image as a tar, without what a container's runtime would add. Throws not-found before the first byte. */
export function imageTree(parts: Parts, reference: string, signal: AbortSignal): Readable {
  const image = parts.images.resolve(reference);
  return Readable.from(tree(parts, { id: image.id, chainId: image.chainId }, signal), { objectMode: false });
}

async function* tree(
  { images, layers }: Parts,
  image: { id: string; chainId: string | undefined },
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  const keep = images.keep();
  keep.image(image.id);
  const id = newId();
  try {
    await layers.createSnapshot(id, { parent: image.chainId, owner: 'build' });
    const root = await layers.mount(id, { readonly: true });
    // Sparse files as others can read them: with their zeros.
    const archive = packDirectory(root, '/', { as: '', sparseFromBytes: Number.MAX_SAFE_INTEGER, signal });
    for await (const chunk of archive) yield chunk as Buffer;
  } finally {
    await layers.removeSnapshot(id);
    keep.end();
  }
}
