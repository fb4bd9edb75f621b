import { invalid } from '../common/index.ts';
import {
  type CreateContainerBody,
  EndpointSettings,
  type NetworkingConfig,
  type UpdateContainerBody,
} from '../wire/index.ts';
import type { ApiVersion } from './version.ts';

/**
 * What clients of older API versions expect of answers and mean by requests (moby docs/api/version-history.md and its routers).
 * Everything inside speaks the newest version.
 */
type Json = Record<string, unknown>;
const isJson = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);
const without = (value: Json, ...names: string[]): Json =>
  Object.fromEntries(Object.entries(value).filter(([name]) => !names.includes(name)));

export function createBody(body: CreateContainerBody, version: ApiVersion): CreateContainerBody {
  const host = { ...body.HostConfig };
  const config = { ...body, HostConfig: host };
  for (const mount of host.Mounts ?? []) {
    if (version < 45 && mount.VolumeOptions?.Subpath) throw invalid('VolumeOptions.Subpath needs API v1.45 or newer');
    if (version < 48 && mount.Type === 'image') throw invalid('Mount type "Image" needs API v1.48 or newer');
    if (version < 40 && mount.BindOptions) mount.BindOptions.NonRecursive = undefined;
    if (version < 42 && mount.BindOptions) mount.BindOptions.CreateMountpoint = undefined;
    // Before 1.44 read-only mounts were so at their top only.
    if (version < 44 && mount.ReadOnly)
      mount.BindOptions = { ...mount.BindOptions, ReadOnlyNonRecursive: true } as typeof mount.BindOptions;
  }
  // docker-py asks for one beside HostConfig. dockerd does not look there, but has runc, which is asked for, as its default.
  host.Runtime ||= body.Runtime;
  if (version < 40) host.IpcMode ||= 'shareable';
  if (version < 41) host.CgroupnsMode ||= 'host';
  if (version < 42) host.ConsoleSize = undefined;
  if (version < 43) host.Annotations = undefined;
  if (version >= 42) host.KernelMemory = host.KernelMemoryTCP = undefined;
  if (version < 44) {
    if (config.Healthcheck) config.Healthcheck = { ...config.Healthcheck, StartInterval: undefined };
    const networks = Object.keys(body.NetworkingConfig?.EndpointsConfig ?? {});
    if (networks.length > 1)
      throw invalid(`Container cannot be created with multiple network endpoints: ${networks.sort().join(', ')}`);
    config.NetworkingConfig = withOneMac(body);
    config.MacAddress = undefined;
  }
  return config;
}

/** Before 1.44 the container's MAC address was that of its only network, and a network had none. */
function withOneMac({ MacAddress, HostConfig, NetworkingConfig }: CreateContainerBody): NetworkingConfig {
  const mode = HostConfig?.NetworkMode || 'default';
  const given = Object.entries(NetworkingConfig?.EndpointsConfig ?? { [mode]: undefined });
  const endpoints = given.map(([name, settings]) => [name, EndpointSettings.parse({ ...settings, MacAddress })]);
  return { EndpointsConfig: Object.fromEntries(endpoints) };
}

/** Kernel memory was a limit before 1.42; the number of processes could not change before 1.40. */
export const updateBody = (body: UpdateContainerBody, version: ApiVersion): UpdateContainerBody => ({
  ...body,
  ...(version < 40 ? { PidsLimit: undefined } : {}),
  ...(version < 42 ? {} : { KernelMemory: undefined, KernelMemoryTCP: undefined }),
});

/** What a client is told of a request that does what it asked for. */
export const createWarnings = ({ MacAddress: mac }: CreateContainerBody, version: ApiVersion): string[] =>
  mac && version >= 44
    ? ['The container-wide MacAddress field is now deprecated. It should be specified in EndpointsConfig instead.']
    : [];

export function containerInspect(answer: Json, version: ApiVersion): Json {
  let result = answer;
  if (version < 45) result = withShortAliases(result);
  if (version < 48) result = without(result, 'ImageManifestDescriptor');
  return result;
}

/** The short id was an alias on user-defined networks before 1.45. */
function withShortAliases(answer: Json): Json {
  const settings = answer.NetworkSettings;
  if (!isJson(settings) || !isJson(settings.Networks)) return answer;
  const { Id: id, Config: config } = answer as { Id?: string; Config?: { Hostname?: string } };
  const own = [String(id).slice(0, 12), config?.Hostname ?? ''].filter((name) => name !== '');
  const networks = Object.entries(settings.Networks).map(([name, endpoint]) => {
    const predefined = ['bridge', 'host', 'none', 'default'].includes(name) || name.startsWith('container:');
    if (predefined || !isJson(endpoint)) return [name, endpoint];
    const aliases = [...((endpoint.Aliases as string[] | null) ?? []), ...own];
    return [name, { ...endpoint, Aliases: [...new Set(aliases)] }];
  });
  return { ...answer, NetworkSettings: { ...settings, Networks: Object.fromEntries(networks) } };
}

export function containerSummary(answer: Json, version: ApiVersion): Json {
  let result = version < 48 ? without(answer, 'ImageManifestDescriptor') : answer;
  if (version < 46 && isJson(result.HostConfig))
    result = { ...result, HostConfig: without(result.HostConfig, 'Annotations') };
  return result;
}

/** An image in a list, where containers are not counted before 1.51. */
export const listedImage = (answer: Json, version: ApiVersion): Json =>
  imageSummary(version < 51 ? { ...answer, Containers: -1 } : answer, version);

export function imageSummary(answer: Json, version: ApiVersion): Json {
  if (version >= 44) return answer;
  const empty = (list: unknown) => !Array.isArray(list) || list.length === 0;
  const untagged = empty(answer.RepoTags) && empty(answer.RepoDigests);
  if (version === 43) return { ...answer, VirtualSize: answer.Size };
  const names = untagged
    ? { RepoTags: ['<none>:<none>'], RepoDigests: ['<none>@<none>'] }
    : { RepoTags: nullIfEmpty(answer.RepoTags), RepoDigests: nullIfEmpty(answer.RepoDigests) };
  return { ...answer, ...names, VirtualSize: answer.Size };
}

const nullIfEmpty = (list: unknown): unknown => (Array.isArray(list) && list.length === 0 ? null : list);

/** The container configuration that images of old builders carried; always empty now. */
const EMPTY_CONFIG = {
  Hostname: '',
  Domainname: '',
  User: '',
  AttachStdin: false,
  AttachStdout: false,
  AttachStderr: false,
  Tty: false,
  OpenStdin: false,
  StdinOnce: false,
  Env: null,
  Cmd: null,
  Image: '',
  Volumes: null,
  WorkingDir: '',
  Entrypoint: null,
  OnBuild: null,
  Labels: null,
};

/** Fields of an image's configuration that Go shows though they are empty. */
const IMAGE_CONFIG = {
  Cmd: null,
  Entrypoint: null,
  Env: null,
  Labels: null,
  OnBuild: null,
  User: '',
  Volumes: null,
  WorkingDir: '',
};

export function imageInspect(answer: Json, version: ApiVersion): Json {
  let result: Json = isJson(answer.Config) ? { ...answer, Config: { ...IMAGE_CONFIG, ...answer.Config } } : answer;
  if (version < 44) result = { ...result, VirtualSize: result.Size };
  if (version < 45) result = { ...result, ContainerConfig: EMPTY_CONFIG };
  if (version < 48) result = without(result, 'Descriptor', 'Manifests');
  if (version < 50 && isJson(result.Config)) {
    const { Hostname, Domainname, AttachStdin, AttachStdout, AttachStderr, Tty, OpenStdin, StdinOnce, Image } =
      EMPTY_CONFIG;
    const old = { Hostname, Domainname, AttachStdin, AttachStdout, AttachStderr, Tty, OpenStdin, StdinOnce, Image };
    result = { ...result, Config: { ...old, ...result.Config } };
  }
  return result;
}

export function info(answer: Json, version: ApiVersion): Json {
  let result = answer;
  if (version < 25) {
    const options = ((answer.SecurityOptions as string[] | null) ?? []).map(
      (option) => /^name=([^,]+)/.exec(option)?.[1] ?? option,
    );
    result = { ...result, SecurityOptions: options };
  }
  if (version < 42) result = { ...result, KernelMemory: false };
  if (version < 48 && isJson(result.Runtimes)) {
    const runtimes = Object.entries(result.Runtimes).map(([name, runtime]) => [
      name,
      version < 44 && isJson(runtime) ? without(runtime, 'status') : runtime,
    ]);
    result = { ...result, Runtimes: Object.fromEntries(runtimes) };
  }
  if (version < 49) result = without(result, 'FirewallBackend');
  if (version < 49 && isJson(result.RuncCommit))
    result = { ...result, RuncCommit: { ...result.RuncCommit, Expected: result.RuncCommit.ID } };
  if (version < 47 && isJson(result.RegistryConfig)) {
    const gone = { AllowNondistributableArtifactsCIDRs: null, AllowNondistributableArtifactsHostnames: null };
    result = { ...result, RegistryConfig: { ...result.RegistryConfig, ...gone } };
  }
  if (version < 50) result = { ...result, BridgeNfIptables: false, BridgeNfIp6tables: false };
  if (version < 46) result = without(result, 'Containerd');
  return result;
}

export function diskUsage(answer: Json, version: ApiVersion): Json {
  const images = (answer.Images as Json[] | null | undefined)?.map((image) => ({
    ...imageSummary(image, Math.max(version, 43)),
    RepoTags: nullIfEmpty(image.RepoTags),
    RepoDigests: nullIfEmpty(image.RepoDigests),
  }));
  return { ...answer, ...(images === undefined ? {} : { Images: images }) };
}
