import { gzipSync } from 'node:zlib';
import { type TarItem, writeTar } from '../../src/archive/index.ts';
import { type FakeRegistry, sha256 } from './fake-registry.ts';

export const TYPES = {
  manifest: 'application/vnd.docker.distribution.manifest.v2+json',
  list: 'application/vnd.docker.distribution.manifest.list.v2+json',
  config: 'application/vnd.docker.container.image.v1+json',
  layer: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
  plainLayer: 'application/vnd.docker.image.rootfs.diff.tar',
  ociManifest: 'application/vnd.oci.image.manifest.v1+json',
  ociIndex: 'application/vnd.oci.image.index.v1+json',
  ociConfig: 'application/vnd.oci.image.config.v1+json',
  ociLayer: 'application/vnd.oci.image.layer.v1.tar+gzip',
  ociZstd: 'application/vnd.oci.image.layer.v1.tar+zstd',
} as const;

/** A tar of these entries; a body makes a file, a name that ends with `/` a directory. */
export async function tarOf(items: readonly (TarItem | [name: string, body: string | Buffer])[]): Promise<Buffer> {
  const whole = items.map(
    (item): TarItem => ('header' in item ? item : { header: { name: item[0] }, body: Buffer.from(item[1]) }),
  );
  const chunks: Buffer[] = [];
  for await (const chunk of writeTar(whole)) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

export interface CraftedImage {
  config: Buffer;
  /** Uncompressed archives, bottom first. */
  layers: Buffer[];
  id: string;
}

/** An image of these layers. `config` is laid over what is usual. */
export function craftImage(layers: readonly Buffer[], config: Record<string, unknown> = {}): CraftedImage {
  const document = {
    architecture: 'amd64',
    os: 'linux',
    created: '2024-01-02T03:04:05Z',
    config: { Cmd: ['sh'], Labels: { made: 'by test' } },
    rootfs: { type: 'layers', diff_ids: layers.map((layer) => sha256(layer)) },
    history: layers.map((_, index) => ({ created: '2024-01-02T03:04:05Z', created_by: `layer ${index}` })),
    ...config,
  };
  const bytes = Buffer.from(JSON.stringify(document));
  return { config: bytes, layers: [...layers], id: sha256(bytes) };
}

/** Puts an image into a registry; its manifest's descriptor. */
export function publish(
  registry: FakeRegistry,
  repository: string,
  tag: string | undefined,
  image: CraftedImage,
  options: { compress?: (layer: Buffer) => Buffer; layerType?: string; type?: string; configType?: string } = {},
) {
  const { compress = gzipSync, layerType = TYPES.layer, type = TYPES.manifest, configType = TYPES.config } = options;
  const config = registry.addBlob(repository, image.config);
  const layers = image.layers.map((layer) => ({
    mediaType: layerType,
    ...registry.addBlob(repository, compress(layer)),
  }));
  return registry.addManifest(repository, tag, type, {
    schemaVersion: 2,
    mediaType: type,
    config: { mediaType: configType, ...config },
    layers,
  });
}

/** An image as a docker-archive: today's layout, or the old one with a directory a layer. */
export function dockerArchive(
  image: CraftedImage,
  tags: readonly string[] | null,
  options: { old?: boolean; compress?: (layer: Buffer) => Buffer } = {},
): Promise<Buffer> {
  const { old = false, compress = (layer: Buffer) => layer } = options;
  const hex = (bytes: Buffer) => sha256(bytes).slice('sha256:'.length);
  const config = old ? `${hex(image.config)}.json` : `blobs/sha256/${hex(image.config)}`;
  const files = image.layers.map((layer) => compress(layer));
  const paths = files.map((file) => (old ? `${hex(file)}/layer.tar` : `blobs/sha256/${hex(file)}`));
  return tarOf([
    [config, image.config],
    ...files.flatMap((file, index): [string, Buffer | string][] => [
      ...(old
        ? ([
            [`${hex(file)}/VERSION`, '1.0'],
            [`${hex(file)}/json`, '{}'],
          ] as [string, string][])
        : []),
      [paths[index]!, file],
    ]),
    ['manifest.json', JSON.stringify([{ Config: config, RepoTags: tags, Layers: paths }])],
  ]);
}
