/** OCI image-spec media-types.md. */
export const OCI = {
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  index: 'application/vnd.oci.image.index.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar',
  layerGzip: 'application/vnd.oci.image.layer.v1.tar+gzip',
  layerZstd: 'application/vnd.oci.image.layer.v1.tar+zstd',
} as const;

/** Docker's image manifest version 2, schema 2 (distribution docs/spec/manifest-v2-2.md). */
export const DOCKER = {
  manifest: 'application/vnd.docker.distribution.manifest.v2+json',
  list: 'application/vnd.docker.distribution.manifest.list.v2+json',
  config: 'application/vnd.docker.container.image.v1+json',
  layer: 'application/vnd.docker.image.rootfs.diff.tar',
  layerGzip: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
} as const;

export const isIndex = (mediaType: string | undefined): boolean => mediaType === OCI.index || mediaType === DOCKER.list;
export const isManifest = (mediaType: string | undefined): boolean =>
  mediaType === OCI.manifest || mediaType === DOCKER.manifest;

/** What a registry is asked for when it is asked for a manifest. */
export const MANIFEST_TYPES: readonly string[] = [DOCKER.manifest, DOCKER.list, OCI.index, OCI.manifest];

const SCHEMA_1 = [
  'application/vnd.docker.distribution.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v1+prettyjws',
];
export const isSchema1 = (mediaType: string): boolean => SCHEMA_1.includes(mediaType);
