import { lstatSync } from 'node:fs';
import { join, posix } from 'node:path';
import { invalid } from '../../common/index.ts';
import type { SpecMount } from '../../runtime/index.ts';
import { resolveInRoot } from './root-path.ts';

/** What the runtime itself mounts: links of the image below it are not seen. */
const BUILT_IN = ['/proc', '/sys', '/dev'];

/**
 * Where mounts and the working directory really are in a root: links of the image are followed inside it, also dangling ones, whose target is
 * made (as runc does; crun refuses them). Mounts are in order of mounting: what one covers is left to the runtime, which goes through it with
 * openat2(2). Only strings come out of here; nothing is opened or made by them outside of the runtime, so a link exchanged meanwhile gains nothing.
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
  const placed = mounts.map((mount) => {
    const destination = place(mount.destination);
    covered.add(destination);
    return { ...mount, destination };
  });
  const directory = place(cwd);
  const there = lstatSync(join(rootfs, directory), { throwIfNoEntry: false });
  if (there?.isFile() === true && !covered.has(directory)) throw invalid(`Cannot mkdir: ${cwd} is not a directory`);
  return { mounts: placed, cwd: directory };
}
