import { constants } from 'node:fs';
import { check, libc, sysError } from './libc.ts';

/**
 * File system calls that node:fs lacks: relative to a directory's descriptor, without following symbolic links, with
 * nanosecond times. All are synchronous; long work with them belongs on a worker thread.
 *
 * A path given as a string is UTF-8; bytes are taken as they are, because file names need not be UTF-8. A descriptor is a
 * plain number, as in node:fs. Errors are Node-like system errors.
 */
export type FilePath = string | Uint8Array;

export const AT_FDCWD = -100;
export const AT_SYMLINK_NOFOLLOW = 0x100;
export const AT_REMOVEDIR = 0x200;
export const AT_EMPTY_PATH = 0x1000;

/** open(2) flags; those that differ between architectures come from Node. O_PATH and O_CLOEXEC are the generic ones of asm-generic/fcntl.h. */
export const O = {
  RDONLY: constants.O_RDONLY,
  WRONLY: constants.O_WRONLY,
  RDWR: constants.O_RDWR,
  CREAT: constants.O_CREAT,
  EXCL: constants.O_EXCL,
  TRUNC: constants.O_TRUNC,
  NONBLOCK: constants.O_NONBLOCK,
  NOCTTY: constants.O_NOCTTY,
  DIRECTORY: constants.O_DIRECTORY,
  NOFOLLOW: constants.O_NOFOLLOW,
  NOATIME: constants.O_NOATIME,
  CLOEXEC: 0o2000000,
  PATH: 0o10000000,
} as const;

/** openat2(2), linux/openat2.h. */
export const RESOLVE = { NO_XDEV: 1, NO_MAGICLINKS: 2, NO_SYMLINKS: 4, BENEATH: 8, IN_ROOT: 16 } as const;

/** renameat2(2), linux/fs.h. */
export const RENAME = { NOREPLACE: 1, EXCHANGE: 2, WHITEOUT: 4 } as const;

/** linux/stat.h */
export const S_IF = {
  MT: 0o170000,
  SOCK: 0o140000,
  LNK: 0o120000,
  REG: 0o100000,
  BLK: 0o060000,
  DIR: 0o040000,
  CHR: 0o020000,
  FIFO: 0o010000,
} as const;

interface CallNumbers {
  mknodat: number;
  renameat2: number;
  statx: number;
  openat2: number;
}

/** asm/unistd.h. Called by number because older C libraries do not export them. */
const CALLS: Record<string, CallNumbers> = {
  x64: { mknodat: 259, renameat2: 316, statx: 332, openat2: 437 },
  arm64: { mknodat: 33, renameat2: 276, statx: 291, openat2: 437 },
};
const numberOf = (name: keyof CallNumbers): number => {
  const calls = CALLS[process.arch];
  if (calls === undefined) throw sysError(38, name);
  return calls[name];
};

const callMknodat = libc.func('long syscall(long, int, const void *, unsigned int, unsigned int)');
const callRename = libc.func('long syscall(long, int, const void *, int, const void *, unsigned int)');
const callStatx = libc.func('long syscall(long, int, const void *, int, unsigned int, void *)');
const callOpenat2 = libc.func('long syscall(long, int, const void *, const void *, size_t)');
const callOpenat = libc.func('int openat(int, const void *, int, unsigned int)');
const callMkdirat = libc.func('int mkdirat(int, const void *, unsigned int)');
const callSymlinkat = libc.func('int symlinkat(const void *, int, const void *)');
const callLinkat = libc.func('int linkat(int, const void *, int, const void *, int)');
const callUnlinkat = libc.func('int unlinkat(int, const void *, int)');
const callFchownat = libc.func('int fchownat(int, const void *, unsigned int, unsigned int, int)');
const callFchmodat = libc.func('int fchmodat(int, const void *, unsigned int, int)');
const callFchown = libc.func('int fchown(int, unsigned int, unsigned int)');
const callFchmod = libc.func('int fchmod(int, unsigned int)');
const callUtimensat = libc.func('int utimensat(int, const void *, const void *, int)');
const callFutimens = libc.func('int futimens(int, const void *)');
const callReadlinkat = libc.func('intptr_t readlinkat(int, const void *, void *, size_t)');
const callClose = libc.func('int close(int)');

/** A NUL-terminated copy. A path with a NUL inside would silently mean another file. */
export function cPath(path: FilePath): Buffer {
  const bytes = typeof path === 'string' ? Buffer.from(`${path}\0`) : Buffer.alloc(path.length + 1);
  if (typeof path !== 'string') bytes.set(path);
  if (bytes.indexOf(0) !== bytes.length - 1) throw sysError(22, 'open', printablePath(path));
  return bytes;
}

const printablePath = (path: FilePath): string => (typeof path === 'string' ? path : Buffer.from(path).toString());

function done(result: number | bigint, syscall: string, path: FilePath): number {
  return Number(result) < 0 ? check(result, syscall, printablePath(path)) : Number(result);
}

export function openAt(dirfd: number, path: FilePath, flags: number, mode = 0): number {
  return done(callOpenat(dirfd, cPath(path), flags | O.CLOEXEC, mode), 'openat', path);
}

const openHow = Buffer.alloc(24);

/** openat2(2). `resolve` are RESOLVE flags. EAGAIN (a rename raced with the walk) is tried again, as its manual says. */
export function openAt2(dirfd: number, path: FilePath, flags: number, resolve: number, mode = 0): number {
  const name = cPath(path);
  const number = numberOf('openat2');
  openHow.writeBigUInt64LE(BigInt(flags | O.CLOEXEC), 0);
  openHow.writeBigUInt64LE(BigInt(mode), 8);
  openHow.writeBigUInt64LE(BigInt(resolve), 16);
  for (let attempt = 0; ; attempt++) {
    try {
      return done(callOpenat2(number, dirfd, name, openHow, openHow.length), 'openat2', path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN' || attempt >= 128) throw error;
    }
  }
}

export const closeFd = (fd: number): void => void callClose(fd);

/**
 * A descriptor (O_PATH, unless `flags` open it for more) of what `path` leads to as a process chrooted in `root` sees it: no symbolic link
 * leads out, also none that is exchanged meanwhile. An empty path is the root itself, which may be a file then.
 */
export function openInRoot(root: string, path: string, flags: number = O.PATH): number {
  return openWithin(root, path, flags, RESOLVE.IN_ROOT);
}

/** As `openInRoot`, but what leads out, an absolute link too, is refused with EXDEV. */
export function openBelow(root: string, path: string, flags: number = O.PATH): number {
  return openWithin(root, path, flags, RESOLVE.BENEATH);
}

function openWithin(root: string, path: string, flags: number, resolve: number): number {
  if (path === '') return openAt(AT_FDCWD, root, flags & ~O.NOFOLLOW);
  const rootFd = openAt(AT_FDCWD, root, O.PATH);
  try {
    return openAt2(rootFd, path, flags, resolve | RESOLVE.NO_MAGICLINKS);
  } finally {
    closeFd(rootFd);
  }
}

export const mkdirAt = (dirfd: number, path: FilePath, mode: number): void =>
  void done(callMkdirat(dirfd, cPath(path), mode), 'mkdirat', path);

export const symlinkAt = (target: FilePath, dirfd: number, path: FilePath): void =>
  void done(callSymlinkat(cPath(target), dirfd, cPath(path)), 'symlinkat', path);

/** A hard link; a symbolic link at the source is linked itself, not followed. */
export const linkAt = (fromDir: number, from: FilePath, toDir: number, to: FilePath): void =>
  void done(callLinkat(fromDir, cPath(from), toDir, cPath(to), 0), 'linkat', to);

/** `flags`: AT_REMOVEDIR for a directory. */
export const unlinkAt = (dirfd: number, path: FilePath, flags = 0): void =>
  void done(callUnlinkat(dirfd, cPath(path), flags), 'unlinkat', path);

/** Of the thing itself, not of what a symbolic link points to. */
export const chownAt = (dirfd: number, path: FilePath, uid: number, gid: number): void =>
  void done(callFchownat(dirfd, cPath(path), uid, gid, AT_SYMLINK_NOFOLLOW), 'fchownat', path);

/** Follows a symbolic link in the last component (the kernel has no other form): never call it on a link. */
export const chmodAt = (dirfd: number, path: FilePath, mode: number): void =>
  void done(callFchmodat(dirfd, cPath(path), mode, 0), 'fchmodat', path);

export const chownFd = (fd: number, uid: number, gid: number): void => void check(callFchown(fd, uid, gid), 'fchown');
export const chmodFd = (fd: number, mode: number): void => void check(callFchmod(fd, mode), 'fchmod');

/** chown(2) of a path itself, not of what a symbolic link points to. */
export const lchown = (path: FilePath, uid: number, gid: number): void => chownAt(AT_FDCWD, path, uid, gid);

/** A point in time: whole seconds since the epoch (negative before it) and nanoseconds within the second. */
export interface FileTime {
  seconds: number;
  nanoseconds: number;
}

const timespecs = Buffer.alloc(32);
function writeTimes(atime: FileTime, mtime: FileTime): void {
  timespecs.writeInt32LE(atime.seconds | 0, 0);
  timespecs.writeInt32LE(Math.floor(atime.seconds / 0x100000000), 4);
  timespecs.writeUInt32LE(atime.nanoseconds, 8);
  timespecs.writeInt32LE(mtime.seconds | 0, 16);
  timespecs.writeInt32LE(Math.floor(mtime.seconds / 0x100000000), 20);
  timespecs.writeUInt32LE(mtime.nanoseconds, 24);
}

/** Sets both times of the thing itself, not of what a symbolic link points to. */
export function utimesAt(dirfd: number, path: FilePath, atime: FileTime, mtime: FileTime): void {
  writeTimes(atime, mtime);
  done(callUtimensat(dirfd, cPath(path), timespecs, AT_SYMLINK_NOFOLLOW), 'utimensat', path);
}

export function utimesFd(fd: number, atime: FileTime, mtime: FileTime): void {
  writeTimes(atime, mtime);
  check(callFutimens(fd, timespecs), 'futimens');
}

/** The kernel's 32-bit device number (linux/kdev_t.h, new_encode_dev). */
const deviceNumber = (major: number, minor: number): number =>
  ((minor & 0xff) | (major << 8) | ((minor & ~0xff) << 12)) >>> 0;

/** `mode`: S_IF type and permission bits. */
export const mknodAt = (dirfd: number, path: FilePath, mode: number, major = 0, minor = 0): void =>
  void done(callMknodat(numberOf('mknodat'), dirfd, cPath(path), mode, deviceNumber(major, minor)), 'mknodat', path);

/** renameat2(2) with RENAME flags. */
export const renameAt = (fromDir: number, from: FilePath, toDir: number, to: FilePath, flags = 0): void =>
  void done(callRename(numberOf('renameat2'), fromDir, cPath(from), toDir, cPath(to), flags), 'renameat2', to);

/** Where a symbolic link points, as bytes. */
export function readlinkAt(dirfd: number, path: FilePath): Buffer {
  const target = Buffer.alloc(4096);
  return target.subarray(0, done(callReadlinkat(dirfd, cPath(path), target, target.length), 'readlinkat', path));
}

export interface FileStat {
  /** Type and permission bits, as st_mode. */
  mode: number;
  uid: number;
  gid: number;
  links: number;
  /** Device and inode as one key: equal for hard links of one file. */
  identity: string;
  /** `major:minor` of the file system. */
  device: string;
  sizeBytes: number;
  /** On disk. */
  allocatedBytes: number;
  atime: FileTime;
  mtime: FileTime;
  ctime: FileTime;
  /** Of a device node. */
  deviceMajor: number;
  deviceMinor: number;
  /** True for the root of a mount. */
  mountRoot: boolean;
}

const STATX_BASIC_STATS = 0x7ff;
const STATX_ATTR_MOUNT_ROOT = 0x2000;
const statBytes = Buffer.alloc(256);
const u64 = (offset: number): number =>
  statBytes.readUInt32LE(offset) + statBytes.readUInt32LE(offset + 4) * 0x100000000;
const timeAt = (offset: number): FileTime => ({
  seconds: statBytes.readUInt32LE(offset) + statBytes.readInt32LE(offset + 4) * 0x100000000,
  nanoseconds: statBytes.readUInt32LE(offset + 8),
});

/** statx(2) of the thing itself, not of what a symbolic link points to; an empty path means `dirfd` itself. */
export function statAt(dirfd: number, path: FilePath): FileStat {
  const flags = AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH;
  done(callStatx(numberOf('statx'), dirfd, cPath(path), flags, STATX_BASIC_STATS, statBytes), 'statx', path);
  const device = `${statBytes.readUInt32LE(136)}:${statBytes.readUInt32LE(140)}`;
  return {
    mode: statBytes.readUInt16LE(28),
    uid: statBytes.readUInt32LE(20),
    gid: statBytes.readUInt32LE(24),
    links: statBytes.readUInt32LE(16),
    identity: `${device}:${statBytes.readUInt32LE(36)}:${statBytes.readUInt32LE(32)}`,
    device,
    sizeBytes: u64(40),
    allocatedBytes: u64(48) * 512,
    atime: timeAt(64),
    ctime: timeAt(96),
    mtime: timeAt(112),
    deviceMajor: statBytes.readUInt32LE(128),
    deviceMinor: statBytes.readUInt32LE(132),
    mountRoot: (statBytes.readUInt32LE(8) & STATX_ATTR_MOUNT_ROOT) !== 0,
  };
}

export const statFd = (fd: number): FileStat => statAt(fd, '');

/** As statAt, but undefined where nothing is. */
export function findAt(dirfd: number, path: FilePath): FileStat | undefined {
  try {
    return statAt(dirfd, path);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw error;
  }
}
