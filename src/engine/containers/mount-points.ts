import { lstatSync, statSync } from 'node:fs';
import { join, posix } from 'node:path';
import { invalid } from '../../common/index.ts';
import type { SpecMount } from '../../runtime/index.ts';
import { AT_FDCWD, closeFd, findAt, mkdirAt, O, openAt, openAt2, RESOLVE } from '../../sys/index.ts';
import { checkProcMount } from './proc-mounts.ts';
import { resolveInRoot } from './root-path.ts';

/** What the runtime itself mounts: links of the image below it are not seen. */
const BUILT_IN = ['/proc', '/sys', '/dev'];

/** Where a place of a container is on the machine, as far as strings tell: below the last mount that covers it, else in its root. */
function hostPath(rootfs: string, mounts: readonly SpecMount[], path: string): string | undefined {
  const cover = mounts.findLast(({ destination }) => path === destination || path.startsWith(`${destination}/`));
  if (cover === undefined) return join(rootfs, path);
  return cover.type === 'bind' ? join(cover.source, path.slice(cover.destination.length)) : undefined;
}

/** A tmpfs over a directory has its mode, unless it is given one (runc does this, crun does not); else anybody may write in it. */
function modeOfTmpfs({ type, options }: SpecMount, over: string | undefined): string[] {
  if (type !== 'tmpfs' || over === undefined || options.some((option) => option.startsWith('mode='))) return [];
  const there = lstatSync(over, { throwIfNoEntry: false });
  return there?.isDirectory() === true ? [`mode=${(there.mode & 0o7777).toString(8)}`] : [];
}

/**
 * Where mounts and the working directory really are in a root: links of the image are followed inside it, also dangling ones, whose target is
 * made (as runc does; crun refuses them). Mounts are in order of mounting: what one covers is left to the runtime, which goes through it with
 * openat2(2). Only strings come out of here, and whoever opens what they name does so inside the root, so a link exchanged meanwhile gains nothing.
 */
export function placesInRoot(
  rootfs: string,
  mounts: readonly SpecMount[],
  cwd: string,
): { mounts: SpecMount[]; cwd: string } {
  const covered = new Set(BUILT_IN);
  const place = (path: string) =>
    `/${posix.relative(
      rootfs,
      resolveInRoot(rootfs, path, (inside) => covered.has(inside)),
    )}`;
  const placed: SpecMount[] = [];
  for (const mount of mounts) {
    const destination = place(mount.destination);
    checkProcMount(mount, destination);
    placed.push({
      ...mount,
      destination,
      options: [...modeOfTmpfs(mount, hostPath(rootfs, placed, destination)), ...mount.options],
    });
    covered.add(destination);
  }
  const directory = place(cwd);
  const there = lstatSync(join(rootfs, directory), { throwIfNoEntry: false });
  if (there?.isFile() === true && !covered.has(directory)) throw invalid(`Cannot mkdir: ${cwd} is not a directory`);
  return { mounts: placed, cwd: directory };
}

/**
 * Makes the mount points that a root lacks, with the modes that runc gives them: crun's have the sticky bit, which a commit would keep. What an
 * earlier mount covers is the runtime's, and so are the words for what cannot be made.
 */
export function makeMountPoints(rootfs: string, mounts: readonly SpecMount[]): void {
  const covered = [...BUILT_IN];
  for (const { type, source, destination } of mounts) {
    const inRoot = !covered.some((place) => destination === place || destination.startsWith(`${place}/`));
    try {
      if (inRoot && lstatSync(join(rootfs, destination), { throwIfNoEntry: false }) === undefined)
        closeFd(openMountPoint(rootfs, destination, type !== 'bind' || statSync(source).isDirectory()));
    } catch (error) {
      if (!(error instanceof Error && 'code' in error)) throw error;
    }
    covered.push(destination);
  }
}

/** A descriptor of a mount point inside a root, made if it is missing. */
export function openMountPoint(root: string, destination: string, isDirectory: boolean): number {
  let at = openAt(AT_FDCWD, root, O.PATH);
  const rootFd = at;
  const parts = destination.split('/').filter((part) => part !== '');
  try {
    for (const [index, name] of parts.entries()) {
      const last = index === parts.length - 1;
      const path = parts.slice(0, index + 1).join('/');
      if (findAt(at, name) === undefined) {
        if (last && !isDirectory) closeFd(openAt(at, name, O.CREAT | O.EXCL | O.WRONLY | O.NOFOLLOW, 0o644));
        else mkdirAt(at, name, 0o755);
      }
      const next = openAt2(rootFd, posix.normalize(path), O.PATH, RESOLVE.IN_ROOT | RESOLVE.NO_MAGICLINKS);
      if (at !== rootFd) closeFd(at);
      at = next;
    }
    return at;
  } catch (error) {
    if (at !== rootFd) closeFd(at);
    throw error;
  } finally {
    closeFd(rootFd);
  }
}
