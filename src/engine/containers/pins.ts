import { closeSync, type Dirent } from 'node:fs';
import { mkdir, readdir, rmdir, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { invalid, isErrno, notFound } from '../../common/index.ts';
import {
  attachMount,
  cloneMount,
  closeFd,
  mapMountIds,
  openBelow,
  openInRoot,
  S_IF,
  statFd,
  unmount,
} from '../../sys/index.ts';
import { exchangeNamespace, type Owner } from './id-maps.ts';

/**
 * Sources of mounts that a path alone does not name safely or fully: a place inside a volume or image, whose links its users may exchange at any
 * moment, and id-mapped copies. Each is mounted at `<exec-root>/pins/<container>/<n>` while the container runs.
 */
const pinsOf = (execRoot: string, id: string) => join(execRoot, 'pins', id);

export interface PinRequest {
  /** `path` is resolved as a process chrooted in `root` would; symbolic links do not lead out. */
  root: string;
  path: string;
  recursive: boolean;
  /** Whom the owner of the source becomes. */
  mapOwnerTo?: Owner;
}

/** Mounts the source and returns where. Throws in Docker's words if it is not there. */
export async function pin(execRoot: string, id: string, index: number, request: PinRequest): Promise<string> {
  const { root, path, recursive, mapOwnerTo } = request;
  const source = openInside(root, path);
  try {
    const info = statFd(source);
    const directory = pinsOf(execRoot, id);
    const target = join(directory, String(index));
    await mkdir(directory, { recursive: true, mode: 0o700 });
    if ((info.mode & S_IF.MT) === S_IF.DIR) await mkdir(target, { recursive: true });
    else await writeFile(target, '');
    const clone = cloneMount(source, { recursive });
    try {
      if (mapOwnerTo !== undefined) await mapOwner(clone, info, mapOwnerTo, recursive, join(root, path));
      attachMount(clone, target);
    } finally {
      closeFd(clone);
    }
    return target;
  } finally {
    closeFd(source);
  }
}

/** A descriptor (O_PATH) of `path` inside `root`. A link that leads out is refused, as moby's safepath does, not read as one inside. */
export function openInside(root: string, path: string): number {
  try {
    return openBelow(root, path);
  } catch (error) {
    const full = join(root, path);
    if (isErrno(error, 'ELOOP')) throw invalid(`cannot access path ${full}: too many links`, error);
    if (isErrno(error, 'EXDEV'))
      throw invalid(`path concatenation escapes the base directory, base: ${root}, subpath: ${path}`, error);
    if (!isErrno(error, 'ENOENT') && !isErrno(error, 'ENOTDIR')) throw error;
    if (isErrno(error, 'ENOTDIR')) throw invalid(`cannot access path ${full}: not a directory`, error);
    throw notFound(`cannot access path ${full}: lstat ${full}: no such file or directory`, error);
  }
}

/** What `path` leads to inside `root`, by a descriptor (O_PATH); undefined if there is nothing. */
export function findInside(root: string, path: string): { fd: number; isDirectory: boolean } | undefined {
  try {
    const fd = openInRoot(root, path);
    return { fd, isDirectory: (statFd(fd).mode & S_IF.MT) === S_IF.DIR };
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'ELOOP'].some((code) => isErrno(error, code))) return undefined;
    throw error;
  }
}

async function mapOwner(clone: number, onDisk: Owner, seen: Owner, recursive: boolean, path: string): Promise<void> {
  if (onDisk.uid === seen.uid && onDisk.gid === seen.gid) return;
  const namespace = await exchangeNamespace(onDisk, seen);
  try {
    mapMountIds(clone, namespace, { recursive });
  } catch (error) {
    if (isErrno(error, 'ENOSYS')) throw invalid('bind-idmap needs Linux 5.12 or newer');
    if (isErrno(error, 'EINVAL') || isErrno(error, 'EPERM'))
      throw invalid(
        `bind-idmap: the file system of ${path}${recursive ? ', or one mounted below it,' : ''} does not support id-mapped mounts`,
        error,
      );
    throw error;
  } finally {
    closeSync(namespace);
  }
}

/** Never recursive: behind a mount that would not go are somebody's files. */
export async function dropPins(execRoot: string, id: string): Promise<void> {
  const directory = pinsOf(execRoot, id);
  let entries: Dirent[];
  try {
    entries = await readdir(directory, { withFileTypes: true });
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return;
    throw error;
  }
  for (const { name } of entries) {
    const target = join(directory, name);
    try {
      unmount(target);
    } catch (error) {
      if (!isErrno(error, 'EINVAL')) throw error;
    }
    // The kind of a mounted entry is the mount's, not the mount point's.
    await rmdir(target).catch((error: unknown) => {
      if (!isErrno(error, 'ENOTDIR')) throw error;
      return unlink(target);
    });
  }
  await rmdir(directory);
}

/** Containers that have pins on this machine. */
export const pinned = (execRoot: string): Promise<string[]> => readdir(join(execRoot, 'pins')).catch(() => []);
