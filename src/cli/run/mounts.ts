import { resolve } from 'node:path';
import { parseBytes, parseGoBool } from '../../common/index.ts';
import type { Mount } from '../../wire/index.ts';
import { splitCsv } from '../flag-values.ts';

const goBool = (key: string, text: string): boolean => {
  const value = parseGoBool(text);
  if (value === undefined) throw new Error(`invalid value for ${key}: ${text}`);
  return value;
};

/** Keys that may stand without a value, and what that means. */
const BARE: ReadonlyMap<string, string> = new Map([
  ['readonly', 'true'],
  ['ro', 'true'],
  ['volume-nocopy', 'true'],
  ['bind-nonrecursive', 'true'],
  ['bind-idmap', 'match-user'],
]);

/** One `--mount` (docker/cli opts.MountOpt.Set). Throws Error with Docker's words. */
export function parseMount(value: string): Mount {
  const mount: Mount = { Type: 'volume' } as Mount;
  const bind = (): NonNullable<Mount['BindOptions']> => {
    mount.BindOptions ??= {} as NonNullable<Mount['BindOptions']>;
    return mount.BindOptions;
  };
  const volume = (): NonNullable<Mount['VolumeOptions']> => {
    mount.VolumeOptions ??= {} as NonNullable<Mount['VolumeOptions']>;
    return mount.VolumeOptions;
  };
  const driver = (): { Name?: string; Options?: Record<string, string> } => {
    const options = volume();
    options.DriverConfig ??= { Name: undefined, Options: undefined };
    return options.DriverConfig;
  };
  const image = (): NonNullable<Mount['ImageOptions']> => {
    mount.ImageOptions ??= {} as NonNullable<Mount['ImageOptions']>;
    return mount.ImageOptions;
  };
  const tmpfs = (): NonNullable<Mount['TmpfsOptions']> => {
    mount.TmpfsOptions ??= {} as NonNullable<Mount['TmpfsOptions']>;
    return mount.TmpfsOptions;
  };
  // What Go's CSV reader says of an empty text.
  if (value === '') throw new Error('EOF');
  for (const field of splitCsv(value)) {
    const cut = field.indexOf('=');
    const key = (cut < 0 ? field : field.slice(0, cut)).toLowerCase();
    const text = cut < 0 ? BARE.get(key) : field.slice(cut + 1);
    if (text === undefined) throw new Error(`invalid field '${field}' must be a key=value pair`);
    if (key === '') throw new Error(`unexpected key '' in '${field}'`);
    if (key === 'type' && text === '') throw new Error('type is required');
    if (cut >= 0 && text === '' && key !== 'volume-label')
      throw new Error(`invalid value for '${key}': value is empty`);
    switch (key) {
      case 'type':
        mount.Type = text.toLowerCase();
        break;
      case 'source':
      case 'src':
        mount.Source = text.startsWith('.') ? resolve(text) : text;
        break;
      case 'target':
      case 'dst':
      case 'destination':
        mount.Target = text;
        break;
      case 'readonly':
      case 'ro':
        mount.ReadOnly = goBool(key, text) || undefined;
        break;
      case 'consistency':
        mount.Consistency = text.toLowerCase();
        break;
      case 'bind-propagation':
        bind().Propagation = text.toLowerCase();
        break;
      case 'bind-nonrecursive':
        bind().NonRecursive = goBool(key, text);
        break;
      case 'bind-create-src':
        bind().CreateMountpoint = goBool(key, text);
        break;
      case 'bind-recursive':
        if (text === 'enabled') break;
        if (text === 'disabled') bind().NonRecursive = true;
        else if (text === 'writable') bind().ReadOnlyNonRecursive = true;
        else if (text === 'readonly') bind().ReadOnlyForceRecursive = true;
        else
          throw new Error(
            `invalid value for ${key}: ${text} (must be "enabled", "disabled", "writable", or "readonly")`,
          );
        break;
      case 'bind-idmap':
        bind().IdMap = text;
        break;
      case 'volume-subpath':
        volume().Subpath = text;
        break;
      case 'volume-nocopy':
        volume().NoCopy = goBool(key, text);
        break;
      case 'volume-label': {
        const options = volume();
        options.Labels ??= {};
        setPair(options.Labels, text);
        break;
      }
      case 'volume-driver':
        driver().Name = text;
        break;
      case 'volume-opt': {
        const config = driver();
        config.Options ??= {};
        setPair(config.Options, text);
        break;
      }
      case 'image-subpath':
        image().Subpath = text;
        break;
      case 'tmpfs-size':
        tmpfs().SizeBytes = sizeOf(key, text);
        break;
      case 'tmpfs-mode':
        if (!/^[0-7]+$/.test(text) || Number.parseInt(text, 8) >= 2 ** 32)
          throw new Error(`invalid value for ${key}: ${text}`);
        tmpfs().Mode = Number.parseInt(text, 8);
        break;
      default:
        throw new Error(`unexpected key '${key}' in '${field}'`);
    }
  }
  checkMount(mount);
  return mount;
}

function checkMount(mount: Mount): void {
  if (!mount.Target) throw new Error('target is required');
  if (mount.BindOptions && mount.Type !== 'bind')
    throw new Error(`cannot mix 'bind-*' options with mount type '${mount.Type}'`);
  if (mount.VolumeOptions && mount.Type !== 'volume')
    throw new Error(`cannot mix 'volume-*' options with mount type '${mount.Type}'`);
  if (mount.TmpfsOptions && mount.Type !== 'tmpfs')
    throw new Error(`cannot mix 'tmpfs-*' options with mount type '${mount.Type}'`);
  if (mount.ImageOptions && mount.Type !== 'image')
    throw new Error(`cannot mix 'image-*' options with mount type '${mount.Type}'`);
  if (mount.BindOptions?.ReadOnlyNonRecursive || mount.BindOptions?.ReadOnlyForceRecursive) {
    if (!mount.ReadOnly)
      throw new Error(
        `option 'bind-recursive=${mount.BindOptions.ReadOnlyForceRecursive ? 'readonly' : 'writable'}' requires 'readonly' to be specified in conjunction`,
      );
    if (mount.BindOptions.ReadOnlyForceRecursive && mount.BindOptions.Propagation !== 'rprivate')
      throw new Error(
        "option 'bind-recursive=readonly' requires 'bind-propagation=rprivate' to be specified in conjunction",
      );
  }
}

function sizeOf(key: string, text: string): number {
  try {
    return parseBytes(text);
  } catch {
    throw new Error(`invalid value for ${key}: ${text}`);
  }
}

function setPair(map: Record<string, string>, text: string): void {
  const cut = text.indexOf('=');
  map[cut < 0 ? text : text.slice(0, cut)] = cut < 0 ? '' : text.slice(cut + 1);
}

export interface VolumeFlags {
  binds: string[];
  anonymous: string[];
}

/** `-v` values: `source:target[:mode]` are binds, a lone path is an anonymous volume (docker/cli loader.ParseVolume). */
export function parseVolumes(values: readonly string[]): VolumeFlags {
  const result: VolumeFlags = { binds: [], anonymous: [] };
  for (const value of values) {
    if (value === '') throw new Error('invalid empty volume spec');
    if (value.length <= 2 || !value.includes(':')) {
      result.anonymous.push(value);
      continue;
    }
    const parts = value.split(':');
    if (parts.some((part) => part === '')) throw new Error(`invalid spec: ${value}: empty section between colons`);
    if (parts[0]!.startsWith('.')) parts[0] = resolve(parts[0]!);
    // A letter alone is taken for a drive, whose colon divides nothing.
    if (value.split(/(?<!(?:^|:)[A-Za-z]):/).length > 3) throw new Error(`invalid spec: ${value}: too many colons`);
    const bind = parts.join(':');
    // The same twice is once.
    if (!result.binds.includes(bind)) result.binds.push(bind);
  }
  return result;
}
