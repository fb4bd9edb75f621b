import { type Compression, detectCompression } from '../archive/index.ts';
import { DOCKER, OCI } from '../registry/index.ts';

export { DOCKER, isIndex, OCI } from '../registry/index.ts';

const LAYERS: readonly string[] = [
  DOCKER.layer,
  DOCKER.layerGzip,
  `${DOCKER.layer}.zstd`,
  OCI.layer,
  OCI.layerGzip,
  OCI.layerZstd,
];
const CONFIGS: readonly string[] = [DOCKER.config, OCI.config];

export const isLayerType = (mediaType: string): boolean => LAYERS.includes(mediaType);
/** Registries hold other things than images too: charts, signatures. */
export const isConfigType = (mediaType: string): boolean => CONFIGS.includes(mediaType);

/** What a manifest may say of a layer's bytes: plain, gzip, or (OCI only) zstd. undefined: no manifest can name it. */
export function layerTypeOf(compression: Compression): string | undefined {
  return { none: DOCKER.layer, gzip: DOCKER.layerGzip, zstd: OCI.layerZstd, bzip2: undefined, xz: undefined }[
    compression
  ];
}

/** By the first bytes. */
export const layerTypeByHead = (head: Buffer): string | undefined => layerTypeOf(detectCompression(head));

const OCI_TYPE: Record<string, string> = {
  [DOCKER.layer]: OCI.layer,
  [DOCKER.layerGzip]: OCI.layerGzip,
  [`${DOCKER.layer}.zstd`]: OCI.layerZstd,
};
export const ociLayerType = (mediaType: string): string => OCI_TYPE[mediaType] ?? mediaType;
export const isOciType = (mediaType: string): boolean => mediaType.startsWith('application/vnd.oci.');
