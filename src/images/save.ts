import type { Readable } from 'node:stream';
import { byteName, type TarItem, writeTar } from '../archive/index.ts';
import { notFound } from '../common/index.ts';
import type { ContentStore } from '../content/index.ts';
import { digestOf, familiarName, fullName, parseReference } from '../registry/index.ts';
import type { Descriptor, Platform } from '../wire/index.ts';
import { ociManifestBytes } from './blobs.ts';
import type { ImageBook, StoredImage } from './book.ts';
import { OCI, ociLayerType } from './media-types.ts';
import { fits, platformText } from './platform.ts';

export interface ChosenImage {
  image: StoredImage;
  tags: Set<string>;
}

/** What `docker save NAME…` means: an id is an image without a name, a repository all of its tags. Throws not-found in Docker's words. */
export function chooseImages(refs: readonly string[], book: ImageBook, platform: Platform | undefined): ChosenImage[] {
  const byId = new Map<string, ChosenImage>();
  const add = (image: StoredImage, tag: string | undefined) => {
    if (platform !== undefined && !fits(platform, image.config))
      throw notFound(`no suitable export target found for platform ${platformText(platform)}`);
    const chosen = byId.get(image.id) ?? { image, tags: new Set() };
    if (tag !== undefined) chosen.tags.add(tag);
    byId.set(image.id, chosen);
  };
  for (const ref of refs) {
    const image = book.find(ref);
    if (image !== undefined && isIdOf(ref, image)) {
      add(image, undefined);
      continue;
    }
    const reference = parseReference(ref);
    const name = familiarName(reference);
    if (reference.tag === undefined && reference.digest === undefined) {
      const all = book
        .all()
        .flatMap((each) =>
          each.repoTags
            .filter((tag) => familiarName(parseReference(tag)) === name)
            .map((tag) => ({ image: each, tag })),
        );
      if (all.length === 0) throw notFound(`No such image: ${ref}`);
      for (const each of all) add(each.image, each.tag);
    } else {
      if (image === undefined) throw notFound('reference does not exist');
      add(
        image,
        image.repoTags.find((tag) => tag === `${name}:${reference.tag}`),
      );
    }
  }
  return [...byId.values()];
}

/** True if the text is an id of the image, or the beginning of one, rather than a name of it. */
export function isIdOf(ref: string, image: StoredImage): boolean {
  const hex = /^(?:sha256:)?([0-9a-f]+)$/.exec(ref)?.[1];
  return hex !== undefined && image.id.startsWith(`sha256:${hex}`) && !image.repoTags.includes(`${ref}:latest`);
}

const json = (name: string, value: unknown): TarItem => ({
  header: { name: byteName(name) },
  body: Buffer.from(JSON.stringify(value)),
});
const blobPath = (digest: string) => `blobs/${digest.replace(':', '/')}`;

/**
 * `docker save`: an OCI layout with docker-archive's `manifest.json` and `repositories` beside it, as dockerd writes since 25. Layers are as
 * they are in content; the layout's manifests are OCI's, which all of its readers know. Layers and configuration are of the time when the
 * image was made, the rest of time 0, so that an image saved twice is the same archive. The caller keeps the images.
 */
export function saveImages(chosen: readonly ChosenImage[], content: ContentStore): Readable {
  async function* items(): AsyncGenerator<TarItem> {
    const written = new Set<string>();
    const index: Descriptor[] = [];
    const list: unknown[] = [];
    const repositories: Record<string, Record<string, string>> = {};
    yield { header: { name: 'blobs/', type: 'dir', mode: 0o755 } };
    yield { header: { name: 'blobs/sha256/', type: 'dir', mode: 0o755 } };
    for (const { image, tags } of chosen) {
      const layers = image.manifest.layers.map((layer) => ({ ...layer, mediaType: ociLayerType(layer.mediaType) }));
      const config = { digest: image.id, size: (await content.size(image.id)) ?? image.manifest.config.size };
      const mtime = { seconds: Math.floor(Date.parse(image.config.created ?? '') / 1000) || 0, nanoseconds: 0 };
      for (const blob of [...layers, config]) {
        if (written.has(blob.digest)) continue;
        written.add(blob.digest);
        const body = (await content.open(blob.digest)) as AsyncIterable<Buffer>;
        yield { header: { name: blobPath(blob.digest), size: blob.size, mtime }, body };
      }
      const manifest =
        image.manifest.mediaType === OCI.manifest
          ? await content.read(image.manifestDigest)
          : ociManifestBytes(config, image.manifest.layers);
      const digest = digestOf(manifest);
      if (!written.has(digest)) yield { header: { name: blobPath(digest) }, body: manifest };
      written.add(digest);
      const entry: Descriptor = { mediaType: OCI.manifest, digest, size: manifest.length };
      if (tags.size === 0) index.push(entry);
      for (const tag of tags) {
        const reference = parseReference(tag);
        index.push({ ...entry, annotations: annotationsOf(tag) });
        const name = familiarName(reference);
        repositories[name] ??= {};
        repositories[name][reference.tag ?? 'latest'] = (image.diffIds.at(-1) ?? image.id).slice('sha256:'.length);
      }
      list.push({
        Config: blobPath(image.id),
        RepoTags: tags.size === 0 ? null : [...tags],
        Layers: layers.map((layer) => blobPath(layer.digest)),
        LayerSources: Object.fromEntries(
          layers.map(({ mediaType, size, digest: own }, at) => [
            image.diffIds[at] ?? own,
            { mediaType, size, digest: own },
          ]),
        ),
      });
    }
    yield json('index.json', { schemaVersion: 2, mediaType: OCI.index, manifests: index });
    yield json('manifest.json', list);
    yield json('oci-layout', { imageLayoutVersion: '1.0.0' });
    if (Object.keys(repositories).length > 0) yield json('repositories', repositories);
  }
  return writeTar(items());
}

/** What tells other tools the name of an entry of an index: containerd's whole name, OCI's tag. */
export function annotationsOf(name: string): Record<string, string> {
  const reference = parseReference(name);
  return {
    'io.containerd.image.name': `${fullName(reference)}:${reference.tag}`,
    'org.opencontainers.image.ref.name': reference.tag ?? '',
  };
}
