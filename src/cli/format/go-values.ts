import { TypedNil } from '../../template/index.ts';

const SLICES = new Set(
  (
    'Binds CapAdd CapDrop Dns DnsOptions DnsSearch ExtraHosts GroupAdd Links SecurityOpt VolumesFrom Devices DeviceCgroupRules DeviceRequests Ulimits ' +
    'BlkioWeightDevice BlkioDeviceReadBps BlkioDeviceWriteBps BlkioDeviceReadIOps BlkioDeviceWriteIOps MaskedPaths ReadonlyPaths Mounts ExecIDs Args Env Cmd ' +
    'Entrypoint OnBuild Shell Aliases DNSNames RepoTags RepoDigests SecondaryIPAddresses SecondaryIPv6Addresses'
  ).split(' '),
);
const MAPS = new Set(
  'PortBindings StorageOpt Tmpfs Sysctls Annotations Labels ExposedPorts Volumes Options DriverOpts Networks Ports Containers Config'.split(
    ' ',
  ),
);
const POINTERS = new Set(
  'Health Healthcheck IPAMConfig Init PidsLimit OomKillDisable MemorySwappiness StopTimeout UsageData'.split(' '),
);

/** Fields that Go's structs have and JSON leaves out when they are empty, by the key they stand under. */
const OMITTED: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  State: { Health: new TypedNil('pointer', '*container.Health') },
  Config: {
    Healthcheck: new TypedNil('pointer', '*container.HealthConfig'),
    ExposedPorts: new TypedNil('map'),
    StopSignal: '',
    Shell: new TypedNil('slice'),
  },
  HostConfig: {
    Mounts: new TypedNil('slice'),
    Tmpfs: new TypedNil('map'),
    Sysctls: new TypedNil('map'),
    StorageOpt: new TypedNil('map'),
    Init: new TypedNil('pointer'),
  },
};

/**
 * JSON as Docker's typed values look to a template: null lists and maps print `[]` and `map[]`, null pointers `<nil>`, and fields that
 * JSON left out are there, though not in `json`.
 */
export function goValues(value: unknown, key = ''): unknown {
  if (value === null) {
    if (SLICES.has(key)) return new TypedNil('slice');
    if (MAPS.has(key)) return new TypedNil('map');
    return POINTERS.has(key) ? new TypedNil('pointer') : null;
  }
  if (Array.isArray(value)) return value.map((item) => goValues(item));
  if (typeof value !== 'object') return value;
  const result: Record<string, unknown> = {};
  for (const [name, item] of Object.entries(value)) result[name] = goValues(item, name);
  for (const [name, empty] of Object.entries(OMITTED[key] ?? {}))
    if (!Object.hasOwn(result, name)) Object.defineProperty(result, name, { value: empty, enumerable: false });
  return result;
}
