import { isErrno } from '../common/index.ts';
import { fdPath, getXattr, getXattrFd, listXattrs, listXattrsFd, setXattr, setXattrFd } from '../sys/index.ts';
import { bytesOf } from './names.ts';

/**
 * Extended attributes that never travel: overlayfs's own (an archive that could set `trusted.overlay.redirect` could show any
 * directory of a lower layer), and what belongs to this machine (SELinux labels, IMA and EVM signatures).
 */
export const staysHere = (name: string): boolean =>
  name.startsWith('trusted.overlay.') ||
  name.startsWith('user.overlay.') ||
  name === 'security.selinux' ||
  name === 'security.ima' ||
  name === 'security.evm' ||
  name.startsWith('security.apparmor') ||
  name.startsWith('security.SMACK');

export const pathBelow = (dirfd: number, name: string): Buffer => fdPath(dirfd, bytesOf(name));

function collect(names: string[], read: (name: string) => Buffer | undefined): Map<string, Buffer> | undefined {
  if (names.length === 0) return undefined;
  const found = new Map<string, Buffer>();
  for (const name of names.sort()) {
    const value = staysHere(name) ? undefined : read(name);
    if (value !== undefined) found.set(name, value);
  }
  return found.size === 0 ? undefined : found;
}

/** All that travel, sorted by name; undefined if there are none. */
export function readXattrs(dirfd: number, name: string): Map<string, Buffer> | undefined {
  const path = pathBelow(dirfd, name);
  return collect(listXattrs(path), (each) => getXattr(path, each));
}
/** The same of an open file. */
export const readXattrsFd = (fd: number): Map<string, Buffer> | undefined =>
  collect(listXattrsFd(fd), (each) => getXattrFd(fd, each));

/** A file system that has no such attributes keeps the file without, as tar does; capabilities must not be lost. */
function set(name: string, call: () => void): void {
  if (staysHere(name)) return;
  try {
    call();
  } catch (error) {
    // user.* cannot be on symbolic links and devices (EPERM); xattr(7).
    const tolerated = isErrno(error, 'ENOTSUP') || (isErrno(error, 'EPERM') && name.startsWith('user.'));
    if (!tolerated || name === 'security.capability') throw error;
  }
}

export const writeXattr = (path: Buffer, name: string, value: Buffer): void =>
  set(name, () => setXattr(path, name, value));
export const writeXattrFd = (fd: number, name: string, value: Buffer): void =>
  set(name, () => setXattrFd(fd, name, value));

const OPAQUE_XATTR = 'trusted.overlay.opaque';
/** Makes a directory hide what the layers below have in it. */
export const markOpaque = (dirfd: number, name: string): void =>
  setXattr(pathBelow(dirfd, name), OPAQUE_XATTR, Buffer.from('y'));
/** True for a directory that hides what the layers below have in it. */
export const isOpaque = (dirfd: number, name: string): boolean =>
  getXattr(pathBelow(dirfd, name), OPAQUE_XATTR)?.toString() === 'y';
