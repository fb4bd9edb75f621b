import { readFile } from 'node:fs/promises';
import { check, libc } from './libc.ts';

const mountCall = libc.func(
  'int mount(const char *source, const char *target, const char *type, unsigned long flags, const char *data)',
);
const umountCall = libc.func('int umount2(const char *target, int flags)');

/** <sys/mount.h> flags. */
export const MS = {
  RDONLY: 1,
  NOSUID: 2,
  NODEV: 4,
  NOEXEC: 8,
  REMOUNT: 32,
  BIND: 4096,
  MOVE: 8192,
  REC: 16384,
  UNBINDABLE: 1 << 17,
  PRIVATE: 1 << 18,
  SLAVE: 1 << 19,
  SHARED: 1 << 20,
} as const;
export const MNT_DETACH = 2;

/** mount(2), synchronous: an overlay takes about 0.3 ms. */
export function mount(
  source: string,
  target: string,
  type: string | null,
  flags = 0,
  data: string | null = null,
): void {
  check(mountCall(source, target, type, flags, data), 'mount', target);
}

/** umount2(2); lazily by default, so that a user of the mount does not keep it in the tree. */
export function unmount(target: string, flags: number = MNT_DETACH): void {
  check(umountCall(target, flags), 'umount2', target);
}

/**
 * The same beside the event loop: the end of an overlay writes out the file system of its upper directory, which may take as long as the disk
 * likes.
 */
export async function unmountAside(target: string, flags: number = MNT_DETACH): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  umountCall.async(target, flags, (error: Error | null, result: number) => (error ? reject(error) : resolve(result)));
  // errno is the other thread's: what failed there fails here, and says why.
  if ((await promise) < 0) unmount(target, flags);
}

export interface MountEntry {
  id: number;
  parent: number;
  target: string;
  type: string;
  source: string;
  options: string;
  superOptions: string;
  /** mount_namespaces(7): a member of a peer group; one that receives from a group. */
  shared: boolean;
  slave: boolean;
}

const unescapeOctal = (text: string) =>
  text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));

/** proc_pid_mountinfo(5). */
export function parseMountInfo(text: string): MountEntry[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [left = '', right = ''] = line.split(' - ');
      const [id, parent, , , target = '', options = '', ...tags] = left.split(' ');
      const [type = '', source = '', superOptions = ''] = right.split(' ');
      return {
        id: Number(id),
        parent: Number(parent),
        target: unescapeOctal(target),
        type,
        source: unescapeOctal(source),
        options,
        superOptions,
        shared: tags.some((tag) => tag.startsWith('shared:')),
        slave: tags.some((tag) => tag.startsWith('master:')),
      };
    });
}

export const mounts = async (): Promise<MountEntry[]> => parseMountInfo(await readFile('/proc/self/mountinfo', 'utf8'));
