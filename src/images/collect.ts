import { stat } from 'node:fs/promises';
import { isErrno, isKind } from '../common/index.ts';
import type { ContentStore } from '../content/index.ts';
import type { LayerStore } from '../layers/index.ts';
import type { ImageBook } from './book.ts';
import { blobsOf } from './keeping.ts';

export interface CollectionParts {
  book: ImageBook;
  content: ContentStore;
  layers: LayerStore;
}

export interface Collected {
  /** Bytes of layers and blobs. */
  bytes: number;
  /** Of layers alone, which is what Docker counts. */
  layerBytes: number;
  /** Chain ids, each before its parent. */
  layers: string[];
}

const neededChains = (book: ImageBook) => new Set(book.all().flatMap(({ chains }) => chains));
const neededBlobs = (book: ImageBook) => new Set(book.all().flatMap(blobsOf));

/** Removes layers that no image, snapshot or running work needs. */
export async function collectLayers({
  book,
  layers,
}: Pick<CollectionParts, 'book' | 'layers'>): Promise<Pick<Collected, 'layerBytes' | 'layers'>> {
  const gone: string[] = [];
  let layerBytes = 0;
  const needed = neededChains(book);
  // The newest first: a layer goes before its parent.
  for (const { chainId, sizeBytes } of layers.list().toReversed()) {
    // Nothing is waited for between the second look and the removal; before it images may have come.
    if (needed.has(chainId) || neededChains(book).has(chainId) || layers.get(chainId) === undefined) continue;
    try {
      await layers.remove(chainId);
    } catch (error) {
      // A layer, a snapshot or running work stands on it.
      if (isKind(error, 'conflict')) continue;
      throw error;
    }
    layerBytes += sizeBytes;
    gone.push(chainId);
  }
  return { layerBytes, layers: gone };
}

/** Removes layers and blobs that nobody needs any more. */
export async function collectGarbage(
  parts: CollectionParts,
  { olderThanMs = 0 }: { olderThanMs?: number } = {},
): Promise<Collected> {
  const { book, content } = parts;
  const { layerBytes, layers } = await collectLayers(parts);
  let bytes = layerBytes;
  const needed = neededBlobs(book);
  for await (const { digest, size } of content.list()) {
    if (needed.has(digest) || (olderThanMs > 0 && (await ageMs(content.path(digest))) < olderThanMs)) continue;
    if (!neededBlobs(book).has(digest) && (await content.delete(digest))) bytes += size;
  }
  return { bytes, layerBytes, layers };
}

async function ageMs(path: string): Promise<number> {
  try {
    return Date.now() - (await stat(path)).mtimeMs;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return 0;
    throw error;
  }
}
