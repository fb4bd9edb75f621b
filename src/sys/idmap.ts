import { openSync, readlinkSync, writeFileSync } from 'node:fs';
import { AT_EMPTY_PATH, AT_FDCWD, cPath } from './files.ts';
import { check, libc } from './libc.ts';
import { MS } from './mount.ts';

/**
 * Detached copies of mounts (mount API of Linux 5.2) and their id-mapping (5.12). A copy is made from a descriptor, so what a path leads to
 * cannot be exchanged between looking at it and mounting it.
 */

/** asm/unistd.h; calls after 424 have one number on all architectures. */
const CALL = { openTree: 428, moveMount: 429, mountSetattr: 442 } as const;
/** linux/mount.h, linux/fcntl.h */
const OPEN_TREE_CLONE = 1;
const OPEN_TREE_CLOEXEC = 0o2000000;
const MOVE_MOUNT_F_EMPTY_PATH = 0x4;
const MOVE_MOUNT_T_EMPTY_PATH = 0x40;
const MOUNT_ATTR_RDONLY = 1;
const MOUNT_ATTR_IDMAP = 0x100000;
const AT_RECURSIVE = 0x8000;

const openTreeCall = libc.func('long syscall(long, int, const void *, unsigned int)');
const moveMountCall = libc.func('long syscall(long, int, const void *, int, const void *, unsigned int)');
const setattrCall = libc.func('long syscall(long, int, const void *, unsigned int, const void *, size_t)');

/** A detached copy of what a descriptor (O_PATH will do) stands for; it goes away with the returned descriptor unless it is attached. */
export function cloneMount(fd: number, options: { recursive: boolean }): number {
  const flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | (options.recursive ? AT_RECURSIVE : 0);
  return check(openTreeCall(CALL.openTree, fd, cPath(''), flags), 'open_tree');
}

/** Sets a detached mount on a path, or on what a descriptor stands for; it does not propagate. */
export function attachMount(mountFd: number, target: string | number): void {
  const [fd, path, flags] =
    typeof target === 'string'
      ? [AT_FDCWD, target, MOVE_MOUNT_F_EMPTY_PATH]
      : [target, '', MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH];
  check(moveMountCall(CALL.moveMount, mountFd, cPath(''), fd, cPath(path), flags), 'move_mount', path);
  setAttributes(mountFd, { propagation: MS.PRIVATE, recursive: true });
}

/** Makes a detached mount and all below it read-only. */
export const makeReadonly = (mountFd: number): void =>
  setAttributes(mountFd, { set: MOUNT_ATTR_RDONLY, recursive: true });

/** Shows the ids of a detached mount's files as a user namespace (its descriptor) maps them. EINVAL where the file system cannot. */
export function mapMountIds(mountFd: number, userNamespaceFd: number, options: { recursive: boolean }): void {
  setAttributes(mountFd, { set: MOUNT_ATTR_IDMAP, userNamespaceFd, ...options });
}

/** mount_setattr(2) with its struct mount_attr. */
function setAttributes(
  fd: number,
  attributes: { set?: number; propagation?: number; userNamespaceFd?: number; recursive: boolean },
): void {
  const attr = Buffer.alloc(32);
  attr.writeBigUInt64LE(BigInt(attributes.set ?? 0), 0);
  attr.writeBigUInt64LE(BigInt(attributes.propagation ?? 0), 16);
  attr.writeBigUInt64LE(BigInt(attributes.userNamespaceFd ?? 0), 24);
  const flags = AT_EMPTY_PATH | (attributes.recursive ? AT_RECURSIVE : 0);
  check(setattrCall(CALL.mountSetattr, fd, cPath(''), flags, attr, attr.length), 'mount_setattr');
}

/** Gives the user namespace of a process its maps (user_namespaces(7)) and returns a descriptor of it. The process must have unshared it. */
export function openUserNamespace(pid: number, maps: { uid: string; gid: string }): number {
  writeFileSync(`/proc/${pid}/uid_map`, maps.uid);
  writeFileSync(`/proc/${pid}/gid_map`, maps.gid);
  return openSync(`/proc/${pid}/ns/user`, 'r');
}

/** True once a process is in another user namespace than this one. */
export const hasOwnUserNamespace = (pid: number): boolean =>
  readlinkSync(`/proc/${pid}/ns/user`) !== readlinkSync('/proc/self/ns/user');
