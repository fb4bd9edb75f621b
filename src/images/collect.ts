import { stat } from 'node:fs/promises';
import { isErrno, isKind } from '../common/index.ts';
import type { ContentStore } from '../content/index.ts';
import type { LayerStore } from '../layers/index.ts';
import { chainIds, type ImageBook } from './book.ts';
import type { Keeping } from './keeping.ts';

export interface CollectionParts {
  book: ImageBook;
  content: ContentStore;
  layers: LayerStore;
  keeping: Keeping;
}

export interface Collected {
  /** Bytes of layers and blobs. */
  bytes: number;
  /** Of layers alone, which is what Docker counts. */
  layerBytes: number;
  /** Chain ids, each before its parent. */
  layers: string[];
}

const neededChains = (book: ImageBook) => new Set(book.all().flatMap((image) => chainIds(image.diffIds)));
const neededBlobs = (book: ImageBook) =>
  new Set(
    book
      .all()
      .flatMap(({ id, manifestDigest, manifest }) => [
        id,
        manifestDigest,
        ...manifest.layers.map(({ digest }) => digest),
      ]),
  );

/** Removes layers that no image, snapshot or running work needs. */
export async function collectLayers({
  book,
  layers,
  keeping,
}: CollectionParts): Promise<Pick<Collected, 'layerBytes' | 'layers'>> {
  const gone: string[] = [];
  let layerBytes = 0;
  // A layer goes before its parent: so again until a round frees nothing.
  for (let freed = true; freed; ) {
    freed = false;
    const needed = neededChains(book);
    const parents = new Set(layers.list().map(({ parent }) => parent));
    for (const layer of layers.list()) {
      if (needed.has(layer.chainId) || parents.has(layer.chainId)) continue;
      try {
        if (!(await keeping.deleteLayer(layer.chainId, (chainId) => neededChains(book).has(chainId)))) continue;
      } catch (error) {
        // A snapshot stands on it, or an unpacking.
        if (isKind(error, 'conflict')) continue;
        throw error;
      }
      layerBytes += layer.sizeBytes;
      gone.push(layer.chainId);
      freed = true;
    }
  }
  return { layerBytes, layers: gone };
}

/** Removes layers and blobs that nobody needs any more. */
export async function collectGarbage(
  parts: CollectionParts,
  { olderThanMs = 0 }: { olderThanMs?: number } = {},
): Promise<Collected> {
  const { book, content, keeping } = parts;
  const { layerBytes, layers } = await collectLayers(parts);
  let bytes = layerBytes;
  const needed = neededBlobs(book);
  for await (const { digest, size } of content.list()) {
    if (needed.has(digest) || (olderThanMs > 0 && (await ageMs(content.path(digest))) < olderThanMs)) continue;
    if (await keeping.deleteBlob(digest, (blob) => neededBlobs(book).has(blob))) bytes += size;
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
