import { existsSync } from 'node:fs';
import { posix } from 'node:path';
import { invalid, newId } from '../../common/index.ts';
import type { HostConfig, Mount } from '../../wire/index.ts';
import type { MountRecord } from './record.ts';

const PROPAGATIONS = new Set(['private', 'rprivate', 'shared', 'rshared', 'slave', 'rslave']);

/** Splits `source:target:mode` and gives its mount (moby volume/mounts linux_parser). */
export function parseBind(spec: string): MountRecord {
  const parts = spec.split(':');
  if (parts.length > 3 || parts.slice(0, 2).includes('')) throw invalid(`invalid volume specification: '${spec}'`);
  let [source = '', target = '', mode = ''] = parts;
  if (parts.length === 1) [source, target] = ['', source];
  if (parts.length === 2 && isMode(target)) throw invalid(`invalid volume specification: '${spec}'`);
  const options = parseMode(mode);
  const kind = source.startsWith('/') ? 'bind' : 'volume';
  const bad = (why: string) =>
    invalid(`invalid volume specification: '${spec}': invalid mount config for type "${kind}": ${why}`);
  if (!target.startsWith('/')) throw bad(`invalid mount path: '${target}' mount path must be absolute`);
  const destination = cleanPath(target);
  if (destination === '/') throw bad("invalid specification: destination can't be '/'");
  if (kind === 'volume' && options.propagation !== '') throw bad('field BindOptions must not be specified');
  if (kind === 'bind' && options.noCopy) throw bad('field VolumeOptions must not be specified');
  if (kind === 'bind')
    return {
      type: 'bind',
      source: cleanPath(source),
      destination,
      mode,
      rw: options.rw,
      propagation: options.propagation || 'rprivate',
      createHostPath: true,
    };
  return {
    type: 'volume',
    source: source === '' ? newId() : source,
    destination,
    driver: 'local',
    mode: mode === '' ? 'z' : mode,
    rw: options.rw,
    propagation: '',
    noCopy: options.noCopy,
    ...(source === '' ? { anonymous: true } : {}),
  };
}

/** Of each kind of word there may be one (moby volume/mounts linuxValidMountMode). */
const MODE_GROUPS: Record<string, readonly string[]> = {
  access: ['ro', 'rw'],
  label: ['z', 'Z'],
  copy: ['nocopy'],
  propagation: [...PROPAGATIONS],
  consistency: ['consistent', 'cached', 'delegated'],
};

function isMode(mode: string): boolean {
  const groups = mode
    .split(',')
    .map((word) => Object.keys(MODE_GROUPS).find((group) => MODE_GROUPS[group]?.includes(word)));
  return !groups.includes(undefined) && new Set(groups).size === groups.length;
}

function parseMode(mode: string): { rw: boolean; propagation: string; noCopy: boolean } {
  if (mode !== '' && !isMode(mode)) throw invalid(`invalid mode: ${mode}`);
  const words = mode.split(',');
  return {
    rw: !words.includes('ro'),
    propagation: words.find((word) => PROPAGATIONS.has(word)) ?? '',
    noCopy: words.includes('nocopy'),
  };
}

export const cleanPath = (path: string): string => {
  const clean = posix.normalize(path);
  return clean.length > 1 && clean.endsWith('/') ? clean.slice(0, -1) : clean;
};

/** Options that only one type of mounts has; dockerd looks for them first, and for those of images last. */
const OPTIONS_OF = { BindOptions: 'bind', VolumeOptions: 'volume', TmpfsOptions: 'tmpfs' } as const;

/** `HostConfig.Mounts` (`--mount`). */
export function parseMount(mount: Mount): MountRecord {
  const type = mount.Type ?? '';
  const bad = (why: string) => invalid(`invalid mount config for type "${type}": ${why}`);
  for (const [field, of] of Object.entries(OPTIONS_OF))
    if (type !== of && mount[field as keyof typeof OPTIONS_OF] !== undefined)
      throw invalid(`${field} must not be specified on mount type "${type}"`);
  const target = mount.Target ?? '';
  if (target === '') throw bad('field Target must not be empty');
  if (!target.startsWith('/')) throw bad(`invalid mount path: '${target}' mount path must be absolute`);
  const destination = cleanPath(target);
  if (destination === '/') throw bad("invalid specification: destination can't be '/'");
  if (!['bind', 'volume', 'tmpfs', 'image'].includes(type)) throw bad('mount type unknown');
  if (type !== 'image' && mount.ImageOptions !== undefined) throw bad('field ImageOptions must not be specified');
  const base = { destination, mode: '', rw: mount.ReadOnly !== true, propagation: '' };
  const source = mount.Source ?? '';
  if (type === 'bind') {
    if (source === '') throw bad('field Source must not be empty');
    if (!source.startsWith('/')) throw bad(`invalid mount path: '${source}' mount path must be absolute`);
    const create = mount.BindOptions?.CreateMountpoint === true;
    if (!create && !existsSync(source)) throw bad(`bind source path does not exist: ${source}`);
    const propagation = mount.BindOptions?.Propagation || 'rprivate';
    if (!PROPAGATIONS.has(propagation)) throw bad(`invalid propagation mode: ${propagation}`);
    return {
      ...base,
      type: 'bind',
      source: cleanPath(source),
      propagation,
      createHostPath: create,
      nonRecursive: mount.BindOptions?.NonRecursive,
      readonlyNonRecursive: mount.BindOptions?.ReadOnlyNonRecursive,
      ...(mount.BindOptions?.ReadOnlyForceRecursive ? { readonlyForced: true } : {}),
      ...(mount.BindOptions?.IdMap ? { idMapUser: idMapUser(mount.BindOptions.IdMap, bad) } : {}),
    };
  }
  if (type === 'tmpfs') {
    if (source !== '') throw bad('field Source must not be specified');
    const { SizeBytes: size, Mode: mode, Options: options } = mount.TmpfsOptions ?? {};
    const words = [
      ...(mount.ReadOnly ? ['ro'] : []),
      ...(size ? [`size=${size}`] : []),
      ...(mode ? [`mode=${mode.toString(8)}`] : []),
      ...(options ?? []).map((option) => tmpfsFlag(option, bad)),
    ];
    return { ...base, type: 'tmpfs', source: '', tmpfsOptions: words.join(',') };
  }
  const subpath = type === 'image' ? mount.ImageOptions?.Subpath : mount.VolumeOptions?.Subpath;
  if (subpath && type === 'volume' && source === '') throw bad('must not set Subpath when using anonymous volumes');
  if (subpath && (subpath.startsWith('/') || /^\.\.(\/|$)/.test(cleanPath(subpath))))
    throw bad('subpath must be a relative path within the volume');
  if (type === 'image') {
    if (source === '') throw bad('field Source must not be empty');
    return { ...base, type: 'image', source, name: source, rw: false, propagation: 'rprivate', subpath };
  }
  if (source === '' && mount.ReadOnly) throw bad('must not set ReadOnly mode when using anonymous volumes');
  return {
    ...base,
    type: 'volume',
    source: source === '' ? newId() : source,
    driver: mount.VolumeOptions?.DriverConfig?.Name || 'local',
    mode: 'z',
    noCopy: mount.VolumeOptions?.NoCopy,
    subpath,
    ...(source === '' ? { anonymous: true } : {}),
  };
}

/** Of the options of a tmpfs only these may be given here; the others have fields. */
function tmpfsFlag(option: readonly string[], bad: (why: string) => Error): string {
  const [word] = option;
  if (word === undefined || option.length > 2) throw bad('invalid option array length');
  if (option.length > 1 || !['exec', 'noexec'].includes(word)) throw bad(`invalid option: ${word}`);
  return word;
}

/** `match-user` or `match-user:USER`. */
function idMapUser(text: string, bad: (why: string) => Error): string {
  const match = /^match-user(?::(.+))?$/.exec(text);
  if (match === null) throw bad(`invalid bind-idmap: ${text}: must be match-user or match-user:USER`);
  return match[1] ?? '';
}

/** Flags and keys of a tmpfs (moby/sys/mount parse.go, validFlags). */
const TMPFS_FLAGS = new Set(
  'async atime bind defaults dev diratime dirsync exec mand noatime nodev nodiratime noexec nomand norelatime nostrictatime nosuid private rbind rprivate rshared rslave runbindable relatime remount ro rw shared slave strictatime suid sync unbindable'.split(
    ' ',
  ),
);
const TMPFS_KEYS = new Set(['size', 'mode', 'uid', 'gid', 'nr_inodes', 'nr_blocks', 'mpol']);

/** `--tmpfs path[:options]`. */
export function parseTmpfs(path: string, options: string): MountRecord {
  if (!path.startsWith('/')) throw invalid(`invalid mount path: '${path}' mount path must be absolute`);
  const destination = cleanPath(path);
  if (destination === '/') throw invalid("invalid specification: destination can't be '/'");
  for (const word of options === '' ? [] : options.split(',')) {
    if (TMPFS_FLAGS.has(word)) continue;
    const [key = ''] = word.split('=');
    if (!word.includes('=') || !TMPFS_KEYS.has(key)) throw invalid(`invalid tmpfs option "${word}"`);
  }
  return {
    type: 'tmpfs',
    source: '',
    destination,
    mode: '',
    rw: !options.split(',').includes('ro'),
    propagation: '',
    tmpfsOptions: options,
  };
}

/** `container[:mode]`; of a volume's modes these may be here. */
function parseVolumesFrom(spec: string): { ref: string; rw: boolean } {
  if (spec === '') throw invalid('volumes-from specification cannot be an empty string');
  const [ref = '', ...rest] = spec.split(':');
  const mode = rest.join(':');
  const { rw, propagation, noCopy } = parseMode(mode);
  if (propagation !== '' || noCopy) throw invalid(`invalid mode: ${mode}`);
  if (ref === '') throw invalid('invalid name or ID supplied: ""');
  return { ref, rw };
}

export interface MountSources {
  host: HostConfig;
  /** Paths that the image or the request declares as volumes. */
  volumes: string[];
  /** Mounts of another container, for `--volumes-from`. */
  mountsOf: (ref: string) => MountRecord[];
}

/** All mounts of a container, later ones over volumes-from and image volumes; a point asked for twice is refused. Pure but for the source checks. */
export function planMounts({ host, volumes, mountsOf }: MountSources): MountRecord[] {
  const byPoint = new Map<string, MountRecord>();
  for (const spec of host.VolumesFrom ?? []) {
    const { ref, rw } = parseVolumesFrom(spec);
    for (const mount of mountsOf(ref))
      byPoint.set(mount.destination, { ...mount, rw: mount.rw && rw, noCopy: true, mode: '' });
  }
  const asked = new Set<string>();
  const add = (mount: MountRecord, given = mount.destination) => {
    if (asked.has(mount.destination)) throw invalid(`Duplicate mount point: ${given}`);
    asked.add(mount.destination);
    byPoint.set(mount.destination, mount);
  };
  for (const spec of host.Binds ?? []) add(parseBind(spec));
  for (const mount of host.Mounts ?? []) add(parseMount(mount), mount.Target);
  for (const [path, options] of Object.entries(host.Tmpfs ?? {})) add(parseTmpfs(path, options));
  for (const path of volumes) {
    const destination = cleanPath(path);
    if (byPoint.has(destination)) continue;
    byPoint.set(destination, {
      type: 'volume',
      source: newId(),
      destination,
      driver: host.VolumeDriver || 'local',
      mode: '',
      rw: true,
      propagation: '',
      anonymous: true,
    });
  }
  return [...byPoint.values()];
}
