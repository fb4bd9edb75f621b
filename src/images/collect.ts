import { isKind } from '../common/index.ts';
import type { ContentStore } from '../content/index.ts';
import type { LayerStore } from '../layers/index.ts';
import { chainIds, type ImageBook } from './book.ts';

/** Removes layers and blobs that no image, snapshot or lease needs. Returns the bytes and the chains that went. */
export async function collectGarbage({ book, content, layers }: { book: ImageBook; content: ContentStore; layers: LayerStore }): Promise<{ bytes: number; layers: string[] }> {
  const chains = new Set(book.all().flatMap((image) => chainIds(image.diffIds)));
  const gone: string[] = [];
  let bytes = 0;
  // A layer goes before its parent; so again until a round frees nothing.
  for (let freed = true; freed; ) {
    freed = false;
    for (const layer of layers.list()) {
      if (chains.has(layer.chainId)) continue;
      try {
        await layers.remove(layer.chainId);
      } catch (error) {
        if (isKind(error, 'conflict')) continue;
        throw error;
      }
      bytes += layer.sizeBytes;
      gone.push(layer.chainId);
      freed = true;
    }
  }
  const needed = new Set(book.all().flatMap((image) => [image.id, image.manifestDigest, ...image.manifest.layers.map(({ digest }) => digest)]));
  const leased = content.leased();
  for await (const { digest, size } of content.list()) {
    if (needed.has(digest) || leased.has(digest)) continue;
    await content.delete(digest);
    bytes += size;
  }
  return { bytes, layers: gone };
}
