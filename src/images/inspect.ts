import { ZERO_TIME } from '../common/index.ts';
import type { LayerStore } from '../layers/index.ts';
import type { ContainerConfig } from '../wire/index.ts';
import { chainIds, type StoredImage } from './book.ts';
import { sizeOf } from './listing.ts';

/** Docker's form of a configuration: unset fields are left out. */
export function configOf(config: ContainerConfig | undefined): Record<string, unknown> {
  const kept = Object.entries(config ?? {}).filter(([, value]) => value !== undefined && value !== '' && value !== false && !(Array.isArray(value) && value.length === 0));
  return Object.fromEntries(kept);
}

/** `GET /images/{name}/json`. */
export function inspectImage(image: StoredImage, layers: LayerStore): Record<string, unknown> {
  const { config } = image;
  const [top] = chainIds(image.diffIds).slice(-1);
  return {
    Id: image.id,
    RepoTags: image.repoTags,
    RepoDigests: image.repoDigests,
    Parent: image.parent ?? '',
    Comment: config.history?.at(-1)?.comment ?? '',
    ...(config.created === undefined ? {} : { Created: config.created }),
    DockerVersion: typeof config.docker_version === 'string' ? config.docker_version : '',
    Author: config.author ?? '',
    Config: configOf(config.config),
    Architecture: config.architecture,
    ...(config.variant === undefined ? {} : { Variant: config.variant }),
    Os: config.os,
    Size: sizeOf(image, layers),
    GraphDriver: { Data: { MergedDir: '', UpperDir: top ?? '', WorkDir: '' }, Name: 'overlay2' },
    RootFS: { Type: 'layers', ...(image.diffIds.length === 0 ? {} : { Layers: image.diffIds }) },
    Metadata: { LastTagTime: image.taggedAt ?? ZERO_TIME },
  };
}
