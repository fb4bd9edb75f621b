import { mkdir, readdir, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isErrno, newId } from '../common/index.ts';
import { attachMount, cloneMount, closeFd, makeReadonly, openInRoot, S_IF, statFd, unmount } from '../sys/index.ts';
import type { VolumeStore } from '../volumes/index.ts';
import type { Container, ContainerBook } from './containers/book.ts';
import { isContainerMode, modeTarget, networkModeOf } from './containers/configure.ts';
import { type ContainerFiles, ETC_FILES } from './containers/files.ts';
import { openMountPoint } from './containers/mount-points.ts';
import { openInside } from './containers/pins.ts';
import type { MountRecord } from './containers/record.ts';
import type { Roots } from './containers/roots.ts';

/** A container's file system with its mounts, as a directory of the machine; paths are resolved inside of it. */
export interface CopyPlace {
  root: string;
  release(): Promise<void>;
}

type PlaceMount = Pick<MountRecord, 'type' | 'source' | 'destination' | 'rw' | 'subpath' | 'nonRecursive'>;

export interface CopyPlaceParts {
  book: ContainerBook;
  files: ContainerFiles;
  roots: Roots;
  volumes: VolumeStore;
  execRoot: string;
}

const copies = (execRoot: string) => join(execRoot, 'cp');

/**
 * A running container is seen through its process's root. For another, its layer is mounted once more at a place of its own, and its volumes,
 * its binds and its files under /etc on that, so that the container's own root stays as it is. What is read-only for the container is so here.
 */
export async function openCopyPlace(container: Container, parts: CopyPlaceParts): Promise<CopyPlace> {
  if (container.running) return { root: `/proc/${container.state.pid}/root`, release: async () => {} };
  const { id, record } = container;
  const holder = `cp-${newId()}`;
  const root = join(copies(parts.execRoot), holder);
  const held: string[] = [];
  const release = async () => {
    await dropCopyPlace(root);
    for (const name of held) await parts.volumes.unmount(name, { id: holder });
    await parts.roots.drop(id, holder);
  };
  try {
    const merged = await parts.roots.hold(id, holder);
    await mkdir(root, { recursive: true, mode: 0o700 });
    const own = record.mounts.filter(({ type }) => type === 'volume' || type === 'bind');
    const mounts = [...etcFiles(container, parts), ...own].sort(
      (a, b) => a.destination.split('/').length - b.destination.split('/').length,
    );
    const mergedFd = openInRoot(merged, '');
    try {
      cloneTo(mergedFd, root, { recursive: false, readonly: false });
    } finally {
      closeFd(mergedFd);
    }
    for (const mount of mounts) {
      if (mount.type === 'volume') held.push(mount.source);
      const source = mount.type === 'bind' ? mount.source : await parts.volumes.mount(mount.source, { id: holder });
      attachInside(root, mount, source);
    }
    return { root, release };
  } catch (error) {
    await release();
    throw error;
  }
}

/** Hosts, hostname and resolv.conf as the last start left them. What is mounted at the same place comes over them. */
function etcFiles({ id, record }: Container, { book, files }: CopyPlaceParts): PlaceMount[] {
  const mode = networkModeOf(record.host);
  const directory = files.directory(isContainerMode(mode) ? (book.find(modeTarget(mode))?.id ?? id) : id);
  return ETC_FILES.map((name) => ({
    type: 'bind',
    source: join(directory, name),
    destination: `/etc/${name}`,
    rw: record.host.ReadonlyRootfs !== true,
  }));
}

/** Unmounts all of it; the directory itself must be empty then, or it stays. */
export async function dropCopyPlace(root: string): Promise<void> {
  try {
    unmount(root);
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return;
    if (!isErrno(error, 'EINVAL')) throw error;
  }
  await rmdir(root);
}

/** What an earlier daemon left mounted. */
export async function dropCopyPlaces(execRoot: string): Promise<void> {
  for (const name of await readdir(copies(execRoot)).catch(() => [])) await dropCopyPlace(join(copies(execRoot), name));
}

function attachInside(root: string, mount: PlaceMount, source: string): void {
  let sourceFd: number;
  try {
    sourceFd = mount.subpath ? openInside(source, mount.subpath) : openInRoot(source, '');
  } catch (error) {
    // A bind whose source is gone hides nothing.
    if (mount.type === 'bind' && isErrno(error, 'ENOENT')) return;
    throw error;
  }
  try {
    const isDirectory = (statFd(sourceFd).mode & S_IF.MT) === S_IF.DIR;
    const target = openMountPoint(root, mount.destination, isDirectory);
    try {
      cloneTo(sourceFd, target, { recursive: mount.nonRecursive !== true, readonly: !mount.rw });
    } finally {
      closeFd(target);
    }
  } finally {
    closeFd(sourceFd);
  }
}

function cloneTo(
  sourceFd: number,
  target: string | number,
  { recursive, readonly }: { recursive: boolean; readonly: boolean },
): void {
  const clone = cloneMount(sourceFd, { recursive });
  try {
    if (readonly) makeReadonly(clone);
    attachMount(clone, target);
  } finally {
    closeFd(clone);
  }
}
