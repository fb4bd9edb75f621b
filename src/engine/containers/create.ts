import { hostname } from 'node:os';
import { invalid, isKind, messageOf, newId, notFound, nowText, shortId, ZERO_TIME } from '../../common/index.ts';
import type { ImageStore } from '../../images/index.ts';
import type { LayerStore } from '../../layers/index.ts';
import type { NetworkService } from '../../network/index.ts';
import type { Cgroups, Monitor, RuntimeChoice } from '../../runtime/index.ts';
import type { ContainerConfig, CreateContainerBody, EndpointSettings, HostConfig } from '../../wire/index.ts';
import { checkLogConfig } from '../logs/drivers.ts';
import type { Container, ContainerBook } from './book.ts';
import {
  argsOf,
  checkConfig,
  isContainerMode,
  mergeConfig,
  modeTarget,
  networkModeOf,
  securityOptions,
} from './configure.ts';
import { type CopyUpParts, copyUp } from './copy-up.ts';
import type { ContainerFiles } from './files.ts';
import type { InitLayers } from './init-layer.ts';
import { resolveLinks } from './links.ts';
import { cleanPath, planMounts } from './mounts.ts';
import { checkName, randomName } from './names.ts';
import { isPort } from './port-keys.ts';
import type { MountRecord } from './record.ts';
import { dropVolumes, takeAway } from './removal.ts';

export interface CreateParts extends CopyUpParts {
  book: ContainerBook;
  images: ImageStore;
  layers: LayerStore;
  initLayers: InitLayers;
  networks: NetworkService;
  files: ContainerFiles;
  cgroups: Cgroups;
  monitor: Monitor;
  runtimes: ReadonlyMap<string, RuntimeChoice>;
  defaults: {
    runtime: string;
    logDriver: string;
    logOptions: Record<string, string>;
    cgroupParent: string | undefined;
  };
}

/** Docker's words for what is asked without an image; a container that has none at all is not offered. */
function withoutImage({ Cmd, Entrypoint, ...rest }: CreateContainerBody): Error {
  if ((Cmd ?? []).length > 0 || (Entrypoint ?? []).length > 0) return invalid('no image specified');
  const empty = Cmd === undefined && Entrypoint === undefined && Object.keys(rest).length === 0;
  return invalid(empty ? 'config cannot be empty in order to create a container' : 'no command specified');
}

/** Makes a container: validated, named, its volumes and writable layer on disk. Nothing is left if any of it fails. */
export async function createContainer(
  body: CreateContainerBody,
  options: { name?: string; platform?: string },
  parts: CreateParts,
): Promise<{ container: Container; warnings: string[] }> {
  const { HostConfig: givenHost, NetworkingConfig: networking, ...request } = body;
  const reference = request.Image ?? '';
  if (reference === '') throw withoutImage(request);
  const image = parts.images.resolve(reference, options.platform);
  const config = mergeConfig(request, image.config.config);
  const host: HostConfig = { ...givenHost };
  const odd = Object.keys(request.ExposedPorts ?? {}).filter((port) => !isPort(port));
  const warnings = checkConfig(config, host, {
    runtimes: new Set(parts.runtimes.keys()),
    limits: parts.cgroups.limits,
  });
  // The image's own ports are no wish of the caller.
  if (isContainerMode(networkModeOf(host)) && Object.keys(request.ExposedPorts ?? {}).length > 0)
    throw invalid('conflicting options: port exposing and the container type network mode');
  if (config.WorkingDir) config.WorkingDir = cleanPath(config.WorkingDir);
  for (const port of odd) warnings.push(`Exposed port ${JSON.stringify(port)} is not a port and is ignored`);
  if (host.MemorySwap === undefined && host.Memory) host.MemorySwap = host.Memory * 2;
  else if (host.MemorySwap === 0 && host.Memory) host.MemorySwap = host.Memory * 2;
  securityOptions(host.SecurityOpt ?? []);
  argsOf(config);
  host.LogConfig = host.LogConfig?.Type
    ? host.LogConfig
    : { Type: parts.defaults.logDriver, Config: { ...parts.defaults.logOptions, ...host.LogConfig?.Config } };
  checkLogConfig(host.LogConfig);
  host.NetworkMode = networkModeOf(host);
  host.IpcMode ||= 'private';
  if (!host.CgroupnsMode) host.CgroupnsMode = parts.cgroups.version === 2 && !host.Privileged ? 'private' : 'host';
  if ((host.PidsLimit ?? 0) <= 0) host.PidsLimit = undefined;
  host.CgroupParent ||= parts.defaults.cgroupParent;

  const keep = parts.images.keep();
  const id = newId();
  const name = takeName(options.name, id, parts.book);
  let mounts: MountRecord[] = [];
  try {
    keep.image(image.id);
    const mode = host.NetworkMode;
    if (isContainerMode(mode)) {
      const target = parts.book.find(modeTarget(mode));
      // An unknown one is an error of start, as in Docker.
      if (target !== undefined) host.NetworkMode = `container:${target.id}`;
      config.Hostname = target?.record.config.Hostname ?? shortId(id);
    } else if (!config.Hostname) config.Hostname = mode === 'host' ? hostname() : shortId(id);
    for (const key of ['IpcMode', 'PidMode'] as const) {
      const wanted = host[key];
      if (!isContainerMode(wanted)) continue;
      const ref = modeTarget(wanted!);
      const target = parts.book.find(ref);
      if (target === undefined) throw invalid(`No such container: ${ref}`);
      host[key] = `container:${target.id}`;
    }
    host.Links = resolveLinks(host, name, parts.book);
    const endpoints = endpointsOf(config, host, networking?.EndpointsConfig);
    config.MacAddress = undefined;
    checkEndpoints(endpoints, parts.networks);
    mounts = planMounts({
      host,
      volumes: Object.keys(config.Volumes ?? {}),
      mountsOf: (ref) => {
        const source = parts.book.find(ref);
        // Not a 404: clients take that for a missing image.
        if (source === undefined) throw invalid(`No such container: ${ref}`);
        return source.record.mounts.filter(({ type }) => type !== 'tmpfs');
      },
    });
    for (const mount of mounts) if (mount.type === 'image') mount.source = parts.images.resolve(mount.source).id;
    parts.book.begin(id, anonymousOf(mounts));
    for (const { Target, VolumeOptions } of host.Mounts ?? []) {
      const record = mounts.find(({ destination }) => destination === cleanPath(Target ?? ''));
      if (record?.type === 'volume' && record.source !== '')
        await parts.volumes.create({
          Name: record.source,
          Driver: record.driver,
          DriverOpts: VolumeOptions?.DriverConfig?.Options,
          Labels: { ...VolumeOptions?.Labels, ...(record.anonymous ? ANONYMOUS : {}) },
        });
    }
    for (const mount of mounts) {
      if (mount.type !== 'volume') continue;
      if (parts.volumes.find(mount.source) === undefined)
        await parts.volumes.create({
          Name: mount.source,
          Driver: host.VolumeDriver && mount.driver === 'local' ? host.VolumeDriver : mount.driver,
          DriverOpts: undefined,
          Labels: mount.anonymous ? ANONYMOUS : undefined,
        });
      parts.volumes.hold(mount.source, id);
    }
    await Promise.all([
      parts.initLayers
        .over(image.chainId, keep.layers)
        .then((parent) => parts.layers.createSnapshot(id, { parent, owner: 'container' })),
      parts.files.make(id),
    ]);
    await copyUp(id, mounts, parts);
    // Whoever removed it meanwhile saw no container.
    if (parts.images.find(image.id) === undefined) throw notFound(`No such image: ${reference}`);
    const container = parts.book.add({
      id,
      name,
      created: nowText(),
      imageId: image.id,
      chainId: image.chainId,
      platform: image.config.os || 'linux',
      config,
      host,
      endpoints,
      mounts,
      runtime: host.Runtime || parts.defaults.runtime,
      cgroupsPath: parts.cgroups.pathFor(id, host.CgroupParent),
      state: {
        status: 'created',
        pid: 0,
        exitCode: 0,
        error: '',
        startedAt: ZERO_TIME,
        finishedAt: ZERO_TIME,
        oomKilled: false,
        restartCount: 0,
        stoppedByUser: false,
      },
    });
    return { container, warnings };
  } catch (error) {
    parts.book.unreserve(name);
    const held = mounts.filter(({ type }) => type === 'volume').map(({ source }) => source);
    await dropVolumes(id, held, [], parts);
    await takeAway({ id, volumes: anonymousOf(mounts) }, parts);
    throw error;
  } finally {
    keep.end();
  }
}

const anonymousOf = (mounts: readonly MountRecord[]): string[] =>
  mounts.filter(({ anonymous }) => anonymous).map(({ source }) => source);

const ANONYMOUS = { 'com.docker.volume.anonymous': '' };

function takeName(given: string | undefined, id: string, book: ContainerBook): string {
  if (given !== undefined && given !== '') {
    const name = checkName(given);
    book.reserve(name, id);
    return name;
  }
  for (let attempt = 0; ; attempt++) {
    const name = attempt > 20 ? shortId(id) : randomName(attempt);
    try {
      book.reserve(name, id);
      return name;
    } catch (error) {
      if (!isKind(error, 'conflict')) throw error;
    }
  }
}

/** The networks asked for, by name, the mode's first; the mode's own if none is (moby updateContainerNetworkSettings). */
function endpointsOf(
  { MacAddress: mac, NetworkDisabled }: ContainerConfig,
  host: HostConfig,
  given: Record<string, EndpointSettings | undefined> | undefined,
): Record<string, EndpointSettings> {
  const mode = networkModeOf(host);
  if (isContainerMode(mode) || NetworkDisabled) return {};
  const asked = Object.fromEntries(
    Object.entries(given ?? {}).map(([name, settings]) => [
      name === 'default' ? 'bridge' : name,
      { ...(settings ?? ({} as EndpointSettings)) },
    ]),
  );
  const others = Object.entries(asked).filter(([name]) => name !== mode);
  if (mode === 'host' && others.length > 0)
    throw invalid('conflicting options: cannot attach both user-defined and non-user-defined network-modes');
  const first = asked[mode] ?? (others.length === 0 || mac ? ({} as EndpointSettings) : undefined);
  if (first !== undefined && mac) {
    if ((first.MacAddress || mac) !== mac)
      throw invalid(
        'the container-wide MAC address must match the endpoint-specific MAC address for the main network, or be left empty',
      );
    first.MacAddress = mac;
  }
  return Object.fromEntries(first === undefined ? others : [[mode, first], ...others]);
}

function checkEndpoints(endpoints: Record<string, EndpointSettings>, networks: NetworkService): void {
  const known = Object.entries(endpoints).filter(([name]) => {
    try {
      networks.resolve(name);
      return true;
    } catch {
      // An unknown network is an error of start, as in Docker.
      return false;
    }
  });
  for (const [network, settings] of known) {
    try {
      networks.validate({ network, settings });
    } catch (error) {
      throw invalid(`invalid config for network ${network}: ${messageOf(error)}`);
    }
  }
}
