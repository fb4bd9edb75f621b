import { ZERO_TIME } from '../common/index.ts';
import type { LayerStore } from '../layers/index.ts';
import type { ContainerConfig } from '../wire/index.ts';
import { chainIds, type StoredImage } from './book.ts';
import { sizeOf } from './listing.ts';

const listed = (list: readonly string[] | undefined) => (list === undefined || list.length === 0 ? null : list);
const filled = <T extends object>(value: T | undefined) =>
  value === undefined || Object.keys(value).length === 0 ? undefined : value;

/** What an image's configuration is since API 1.50: these are always there, the others when set (moby api/types/image, dockerspec). */
export function configOf(config: ContainerConfig | undefined): Record<string, unknown> {
  const {
    User,
    ExposedPorts,
    Env,
    Entrypoint,
    Cmd,
    Volumes,
    WorkingDir,
    Labels,
    StopSignal,
    ArgsEscaped,
    OnBuild,
    Healthcheck,
    Shell,
  } = config ?? {};
  const optional = {
    ExposedPorts: filled(ExposedPorts),
    StopSignal: StopSignal || undefined,
    ArgsEscaped: ArgsEscaped || undefined,
    Healthcheck,
    Shell: listed(Shell) ?? undefined,
  };
  return {
    Cmd: listed(Cmd),
    Entrypoint: listed(Entrypoint),
    Env: listed(Env),
    Labels: filled(Labels) ?? null,
    OnBuild: listed(OnBuild),
    User: User ?? '',
    Volumes: filled(Volumes) ?? null,
    WorkingDir: WorkingDir ?? '',
    ...Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined)),
  };
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

/** `GET /images/{name}/json`. `layerPath`: where a layer's files are. */
export function inspectImage(
  image: StoredImage,
  layers: LayerStore,
  layerPath: ((chainId: string) => string) | undefined,
): Record<string, unknown> {
  const { config } = image;
  const version = text(config['os.version']);
  return {
    Id: image.id,
    RepoTags: image.repoTags,
    RepoDigests: image.repoDigests,
    Parent: image.parent ?? '',
    Comment: text(config.comment) || (config.history?.at(-1)?.comment ?? ''),
    ...(config.created === undefined ? {} : { Created: config.created }),
    DockerVersion: text(config.docker_version),
    Author: config.author ?? '',
    Config: configOf(config.config),
    Architecture: config.architecture,
    ...(config.variant ? { Variant: config.variant } : {}),
    Os: config.os,
    ...(version === '' ? {} : { OsVersion: version }),
    Size: sizeOf(image, layers),
    GraphDriver: { Data: graphData(image, layerPath), Name: 'overlay2' },
    RootFS: { Type: config.rootfs.type, ...(image.diffIds.length === 0 ? {} : { Layers: image.diffIds }) },
    Metadata: { LastTagTime: image.taggedAt ?? ZERO_TIME },
  };
}

/** As the overlay2 driver names them: the top layer's own directory is UpperDir, those below it LowerDir. */
function graphData(
  image: StoredImage,
  layerPath: ((chainId: string) => string) | undefined,
): Record<string, string> | null {
  if (layerPath === undefined) return null;
  const [top, ...below] = chainIds(image.diffIds).toReversed().map(layerPath);
  if (top === undefined) return null;
  return {
    ...(below.length === 0 ? {} : { LowerDir: below.join(':') }),
    MergedDir: `${top}/merged`,
    UpperDir: top,
    WorkDir: `${top}/work`,
  };
}
