import { statSync } from 'node:fs';
import { internal } from '../../common/index.ts';
import type { LayerStore } from '../../layers/index.ts';
import type { SpecMount } from '../../runtime/index.ts';
import { mountFlagsOf } from '../../sys/index.ts';
import type { VolumeStore } from '../../volumes/index.ts';
import { checkPropagation, hostSource } from './host-source.ts';
import type { Owner } from './id-maps.ts';
import { pin } from './pins.ts';
import type { ContainerRecord, MountRecord } from './record.ts';

export interface MountParts {
  volumes: VolumeStore;
  layers: LayerStore;
  /** Mounts an image's file system read-only for a container; returns its directory. */
  mountImage: (imageId: string, containerId: string) => Promise<string>;
}

const depth = (path: string) => path.split('/').length;

/**
 * Binds with rbind unless told otherwise; read-only holds for what is mounted below, too (rro of runc 1.1, crun 1.4). Nothing is
 * mounted below a file, and crun takes the target of rro for a directory. The flags of the source's own mount are given again: crun (1.8)
 * would drop them, and so make a read-only volume writable, one without set-uid programs run them.
 */
function bindOptions(mount: MountRecord, source: string): string[] {
  const options = [mount.nonRecursive ? 'bind' : 'rbind', ...mountFlagsOf(source)];
  const flat = mount.nonRecursive || mount.readonlyNonRecursive || !statSync(source).isDirectory();
  if (!mount.rw) options.push(flat ? 'ro' : 'rro');
  options.push(mount.propagation === '' ? 'rprivate' : mount.propagation);
  return options;
}

/** Needs a mount of its own beside the container's: see pins. crun clones a source with all below it, whatever it is told. */
export const isPinned = ({ subpath, idMapUser, nonRecursive }: MountRecord): boolean =>
  (subpath !== undefined && subpath !== '') || idMapUser !== undefined || nonRecursive === true;

/** Options that contradict each other are an error of start, as in Docker. */
function checkRecursion({ rw, readonlyNonRecursive, readonlyForced }: MountRecord): void {
  if (readonlyForced !== true) return;
  const other = rw ? '!ReadOnly' : readonlyNonRecursive === true ? 'ReadOnlyNonRecursive' : undefined;
  if (other !== undefined) throw internal(`mount options conflict: ${other} && BindOptions.ReadOnlyForceRecursive`);
}

/** Makes the volumes of a container usable; gives their host paths by destination. Comes first, as in Docker's order of events. */
export async function mountVolumes(record: ContainerRecord, { volumes }: MountParts): Promise<Map<string, string>> {
  const paths = new Map<string, string>();
  for (const { type, source, destination, rw, propagation } of record.mounts)
    if (type === 'volume')
      paths.set(
        destination,
        await volumes.mount(source, { id: record.id, destination }, { destination, readWrite: rw, propagation }),
      );
  return paths;
}

/** What is mounted, seen from the machine. */
async function sourceOf(mount: MountRecord, record: ContainerRecord, parts: MountSpecParts) {
  if (mount.type === 'image') return parts.mountImage(mount.source, record.id);
  if (mount.type === 'volume') return parts.volumePaths.get(mount.destination) ?? '';
  checkRecursion(mount);
  await hostSource(mount);
  await checkPropagation(mount);
  return mount.source;
}

export interface MountSpecParts extends MountParts {
  execRoot: string;
  volumePaths: ReadonlyMap<string, string>;
  /** Ids of a user by name in the container; empty: the one its process runs as. */
  ownerOf: (user: string) => Owner;
}

/** The OCI mounts of a container's own mounts, shallow ones first. */
export async function mountSpecs(record: ContainerRecord, parts: MountSpecParts): Promise<SpecMount[]> {
  const specs: SpecMount[] = [];
  const inOrder = [...record.mounts].sort((a, b) => depth(a.destination) - depth(b.destination));
  for (const [index, mount] of inOrder.entries()) {
    const { destination } = mount;
    if (mount.type === 'tmpfs') {
      const words = (mount.tmpfsOptions ?? '').split(',').filter((word) => word !== '');
      specs.push({
        destination,
        type: 'tmpfs',
        source: 'tmpfs',
        options: ['noexec', 'nosuid', 'nodev', ...words].filter((word, _, all) => !all.includes(NEGATED[word] ?? '')),
      });
      continue;
    }
    const whole = await sourceOf(mount, record, parts);
    const source = isPinned(mount)
      ? await pin(parts.execRoot, record.id, index, {
          root: whole,
          path: mount.subpath ?? '',
          recursive: mount.nonRecursive !== true,
          ...(mount.idMapUser === undefined ? {} : { mapOwnerTo: parts.ownerOf(mount.idMapUser) }),
        })
      : whole;
    specs.push({ destination, type: 'bind', source, options: bindOptions(mount, source) });
  }
  return specs;
}

const NEGATED: Record<string, string> = { noexec: 'exec', nosuid: 'suid', nodev: 'dev' };
