import type { Lease } from '../common/index.ts';
import type { ContentStore } from '../content/index.ts';
import type { LayerStore } from '../layers/index.ts';
import type { ImageBook, StoredImage } from './book.ts';

/** What running work counts on, so that nobody collects it: leases of blobs and layers. Ends with the work. */
export interface Keep {
  readonly content: Lease;
  readonly layers: Lease;
  /** Keeps the blob; true if it is there. */
  blob(digest: string): Promise<boolean>;
  /** Keeps all that makes up an image, until the end even if the image is removed. False if there is no such image. */
  image(id: string): boolean;
  end(): void;
}

/** Blobs that a recorded image consists of. */
export const blobsOf = ({ id, manifestDigest, manifest }: StoredImage): string[] => [
  id,
  manifestDigest,
  ...manifest.layers.map(({ digest }) => digest),
];

export function openKeep(book: ImageBook, stores: { content: ContentStore; layers: LayerStore }): Keep {
  const content = stores.content.lease();
  const layers = stores.layers.lease();
  return {
    content,
    layers,
    blob: (digest) => {
      content.add(digest);
      return stores.content.has(digest);
    },
    image: (id) => {
      const image = book.byId(id);
      if (image === undefined) return false;
      for (const digest of blobsOf(image)) content.add(digest);
      for (const chainId of image.chains) layers.add(chainId);
      return true;
    },
    end: () => {
      content.end();
      layers.end();
    },
  };
}
