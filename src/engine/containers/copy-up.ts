import { invalid, newId } from '../../common/index.ts';
import { closeFd } from '../../sys/index.ts';
import type { VolumeStore } from '../../volumes/index.ts';
import { findInside, openInside } from './pins.ts';
import type { MountRecord } from './record.ts';
import type { Roots } from './roots.ts';

export interface CopyUpParts {
  volumes: VolumeStore;
  roots: Roots;
}

/** By a descriptor, so that nobody exchanges what was found; the dot makes it a directory, not the link in /proc. */
const pathOf = (fd: number): string => `/proc/self/fd/${fd}/.`;

/**
 * Gives empty volumes what the new container's image has at their places, as Docker does: at create, so that a container that never runs
 * serves them, too. The container's file system is mounted only if a volume wants something from it.
 */
export async function copyUp(id: string, mounts: readonly MountRecord[], parts: CopyUpParts): Promise<void> {
  for (const mount of mounts) if (mount.type === 'volume' && !mount.noCopy) await fill(id, mount, parts);
}

async function fill(id: string, mount: MountRecord, { volumes, roots }: CopyUpParts): Promise<void> {
  const holder = `copy-up-${newId()}`;
  const opened: number[] = [];
  const inImage = async (): Promise<string | undefined> => {
    const rootfs = await roots.hold(id, holder);
    const found = findInside(rootfs, mount.destination);
    if (found === undefined) return undefined;
    opened.push(found.fd);
    if (!found.isDirectory) throw invalid(`source ${rootfs}${mount.destination} is not directory`);
    return pathOf(found.fd);
  };
  try {
    // Without something for it in the image, another file system that cannot be mounted and a subpath that is missing are errors of start.
    if ((!volumes.isDirectory(mount.source) || mount.subpath) && (await inImage()) === undefined) return;
    const whole = await volumes.mount(mount.source, { id: holder });
    if (mount.subpath === undefined || mount.subpath === '') await volumes.populate(mount.source, whole, inImage);
    else {
      const place = openInside(whole, mount.subpath);
      opened.push(place);
      await volumes.populate(mount.source, pathOf(place), inImage);
    }
  } finally {
    for (const fd of opened) closeFd(fd);
    await volumes.unmount(mount.source, { id: holder });
    await roots.drop(id, holder);
  }
}
