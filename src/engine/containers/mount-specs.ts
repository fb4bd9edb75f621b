import { existsSync, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { invalid } from '../../common/index.ts';
import type { LayerStore } from '../../layers/index.ts';
import type { SpecMount } from '../../runtime/index.ts';
import type { VolumeStore } from '../../volumes/index.ts';
import type { ContainerRecord, MountRecord } from './record.ts';
import { resolveInRoot } from './root-path.ts';

export interface MountParts {
  volumes: VolumeStore;
  layers: LayerStore;
  /** Mounts an image's file system read-only for a container; returns its directory. */
  mountImage: (imageId: string, containerId: string) => Promise<string>;
}

const depth = (path: string) => path.split('/').length;

/** Binds with rbind unless told otherwise; read-only is recursive where the kernel can (rro), as in moby. */
function bindOptions(mount: MountRecord): string[] {
  const options = [mount.nonRecursive ? 'bind' : 'rbind'];
  if (!mount.rw) options.push('ro');
  options.push(mount.propagation === '' ? 'rprivate' : mount.propagation);
  return options;
}

async function volumeSource(
  mount: MountRecord,
  record: ContainerRecord,
  rootfs: string,
  { volumes }: MountParts,
): Promise<string> {
  const path = await volumes.mount(mount.source, record.id, {
    destination: mount.destination,
    readWrite: mount.rw,
    propagation: mount.propagation,
  });
  if (!mount.noCopy && mount.subpath === undefined) {
    const inImage = resolveInRoot(rootfs, mount.destination);
    if (existsSync(inImage) && statSync(inImage).isDirectory()) await volumes.populate(mount.source, inImage);
  }
  if (mount.subpath === undefined || mount.subpath === '') return path;
  const inside = resolveInRoot(path, mount.subpath);
  if (!existsSync(inside))
    throw invalid(
      `cannot access path ${join(path, mount.subpath)}: lstat ${join(path, mount.subpath)}: no such file or directory`,
    );
  return inside;
}

/** The OCI mounts of a container's own mounts, shallow ones first. Volumes are mounted and filled on the way. */
export async function mountSpecs(record: ContainerRecord, rootfs: string, parts: MountParts): Promise<SpecMount[]> {
  const specs: SpecMount[] = [];
  for (const mount of [...record.mounts].sort((a, b) => depth(a.destination) - depth(b.destination))) {
    const { destination } = mount;
    if (mount.type === 'tmpfs') {
      const words = (mount.tmpfsOptions ?? '').split(',').filter((word) => word !== '');
      specs.push({
        destination,
        type: 'tmpfs',
        source: 'tmpfs',
        options: ['noexec', 'nosuid', 'nodev', ...words].filter((word, _, all) => !all.includes(NEGATED[word] ?? '')),
      });
    } else if (mount.type === 'volume') {
      specs.push({
        destination,
        type: 'bind',
        source: await volumeSource(mount, record, rootfs, parts),
        options: bindOptions({ ...mount, propagation: 'rprivate' }),
      });
    } else if (mount.type === 'image') {
      const root = await parts.mountImage(mount.source, record.id);
      specs.push({
        destination,
        type: 'bind',
        source: mount.subpath ? resolveInRoot(root, mount.subpath) : root,
        options: ['rbind', 'ro', 'rprivate'],
      });
    } else {
      if (!existsSync(mount.source)) {
        if (!mount.createHostPath)
          throw invalid(`invalid mount config for type "bind": bind source path does not exist: ${mount.source}`);
        mkdirSync(mount.source, { recursive: true, mode: 0o755 });
      }
      specs.push({ destination, type: 'bind', source: mount.source, options: bindOptions(mount) });
    }
  }
  return specs;
}

const NEGATED: Record<string, string> = { noexec: 'exec', nosuid: 'suid', nodev: 'dev' };
