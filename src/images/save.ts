import type { Readable } from 'node:stream';
import { byteName, type TarItem, writeTar } from '../archive/index.ts';
import { notFound } from '../common/index.ts';
import type { ContentStore } from '../content/index.ts';
import { DEFAULT_DOMAIN, familiarName, parseReference } from '../registry/index.ts';
import type { Descriptor } from '../wire/index.ts';
import type { ImageBook, StoredImage } from './book.ts';
import { OCI } from './media-types.ts';

const json = (name: string, value: unknown): TarItem => ({ header: { name: byteName(name) }, body: Buffer.from(JSON.stringify(value)) });
const blobPath = (digest: string) => `blobs/${digest.replace(':', '/')}`;

interface Chosen {
  image: StoredImage;
  tags: Set<string>;
}

/** A repository without a tag means all of its tags; an id means no name. */
function choose(refs: readonly string[], book: ImageBook): Chosen[] {
  const byId = new Map<string, Chosen>();
  const add = (image: StoredImage, tag: string | undefined) => {
    const chosen = byId.get(image.id) ?? { image, tags: new Set() };
    if (tag !== undefined) chosen.tags.add(tag);
    byId.set(image.id, chosen);
  };
  for (const ref of refs) {
    const asId = /^(sha256:)?[0-9a-f]{2,64}$/.test(ref) ? book.find(ref) : undefined;
    if (asId?.id.includes(ref.replace('sha256:', ''))) {
      add(asId, undefined);
      continue;
    }
    const reference = parseReference(ref);
    if (reference.tag !== undefined || reference.digest !== undefined) {
      const image = book.resolve(ref);
      add(image, image.repoTags.find((tag) => tag === `${familiarName(reference)}:${reference.tag}`));
      continue;
    }
    const all = book.all().flatMap((image) => image.repoTags.filter((tag) => familiarName(parseReference(tag)) === familiarName(reference)).map((tag) => [image, tag] as const));
    if (all.length === 0) throw notFound(`No such image: ${ref}`);
    for (const [image, tag] of all) add(image, tag);
  }
  return [...byId.values()];
}

/** `docker save`: an OCI layout with docker-archive's manifest.json and repositories beside it, as dockerd writes since 25. */
export function saveImages(refs: readonly string[], { book, content }: { book: ImageBook; content: ContentStore }): Readable {
  const chosen = choose(refs, book);
  async function* items(): AsyncGenerator<TarItem> {
    const written = new Set<string>();
    async function* blob(descriptor: { digest: string; size: number }): AsyncGenerator<TarItem> {
      if (written.has(descriptor.digest)) return;
      written.add(descriptor.digest);
      yield { header: { name: byteName(blobPath(descriptor.digest)), size: descriptor.size }, body: (await content.open(descriptor.digest)) as AsyncIterable<Buffer> };
    }
    yield { header: { name: 'blobs/', type: 'dir' } };
    yield { header: { name: 'blobs/sha256/', type: 'dir' } };
    const manifests: Descriptor[] = [];
    const list: unknown[] = [];
    const repositories: Record<string, Record<string, string>> = {};
    for (const { image, tags } of chosen) {
      const { manifest } = image;
      const size = (await content.size(image.manifestDigest)) ?? 0;
      for (const layer of manifest.layers) yield* blob(layer);
      yield* blob({ digest: image.id, size: (await content.size(image.id)) ?? manifest.config.size });
      yield* blob({ digest: image.manifestDigest, size });
      const base = { mediaType: manifest.mediaType ?? OCI.manifest, digest: image.manifestDigest, size, platform: { architecture: image.config.architecture, os: image.config.os } };
      if (tags.size === 0) manifests.push(base);
      for (const tag of tags) {
        const reference = parseReference(tag);
        manifests.push({ ...base, annotations: { 'io.containerd.image.name': `${reference.domain === DEFAULT_DOMAIN ? 'docker.io' : reference.domain}/${reference.path}:${reference.tag}`, 'org.opencontainers.image.ref.name': reference.tag ?? '' } });
        const name = familiarName(reference);
        repositories[name] ??= {};
        repositories[name][reference.tag ?? 'latest'] = image.id.slice('sha256:'.length);
      }
      list.push({ Config: blobPath(image.id), RepoTags: tags.size === 0 ? null : [...tags], Layers: manifest.layers.map(({ digest }) => blobPath(digest)) });
    }
    yield json('index.json', { schemaVersion: 2, mediaType: OCI.index, manifests });
    yield json('manifest.json', list);
    yield json('oci-layout', { imageLayoutVersion: '1.0.0' });
    if (Object.keys(repositories).length > 0) yield json('repositories', repositories);
  }
  return writeTar(items());
}
