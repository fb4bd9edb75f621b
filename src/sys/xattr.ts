import { cPath, type FilePath } from './files.ts';
import { check, libc } from './libc.ts';

/** Extended attributes (xattr(7)) of a thing itself: a symbolic link is never followed. Values are bytes. */
const callSet = libc.func('int lsetxattr(const void *, const void *, const void *, size_t, int)');
const callGet = libc.func('intptr_t lgetxattr(const void *, const void *, void *, size_t)');
const callList = libc.func('intptr_t llistxattr(const void *, void *, size_t)');
const callRemove = libc.func('int lremovexattr(const void *, const void *)');
const callFset = libc.func('int fsetxattr(int, const void *, const void *, size_t, int)');
const callFget = libc.func('intptr_t fgetxattr(int, const void *, void *, size_t)');
const callFlist = libc.func('intptr_t flistxattr(int, void *, size_t)');

/** linux/limits.h: XATTR_SIZE_MAX and XATTR_LIST_MAX are both this. */
const MAX = 65536;
const scratch = Buffer.alloc(MAX);

const isMissing = (error: unknown): boolean => {
  const code = (error as NodeJS.ErrnoException).code;
  // ENODATA is ENOATTR; ENOTSUP: the file system has none.
  return code === 'ENODATA' || code === 'ENOTSUP';
};

function bytesOf(call: () => number | bigint, syscall: string): Buffer | undefined {
  try {
    return Buffer.from(scratch.subarray(0, check(call(), syscall)));
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

const split = (list: Buffer | undefined): string[] =>
  list === undefined || list.length === 0 ? [] : list.toString('latin1').split('\0').slice(0, -1);

/** A path below an open directory that resolves through its descriptor, for calls that have no *at form. */
export const fdPath = (dirfd: number, name: FilePath): Buffer =>
  Buffer.concat([Buffer.from(`/proc/self/fd/${dirfd}/`), typeof name === 'string' ? Buffer.from(name) : name]);

export const setXattr = (path: FilePath, name: string, value: Uint8Array): void =>
  void check(callSet(cPath(path), cPath(Buffer.from(name, 'latin1')), value, value.length, 0), 'lsetxattr');

/** Undefined if there is none. */
export function getXattr(path: FilePath, name: string): Buffer | undefined {
  const file = cPath(path);
  const attribute = cPath(Buffer.from(name, 'latin1'));
  return bytesOf(() => callGet(file, attribute, scratch, MAX), 'lgetxattr');
}

export function listXattrs(path: FilePath): string[] {
  const file = cPath(path);
  return split(bytesOf(() => callList(file, scratch, MAX), 'llistxattr'));
}

/** Not an error if there is none. */
export function removeXattr(path: FilePath, name: string): void {
  try {
    check(callRemove(cPath(path), cPath(Buffer.from(name, 'latin1'))), 'lremovexattr');
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}

/** By descriptor, which must not be an O_PATH one. */
export const setXattrFd = (fd: number, name: string, value: Uint8Array): void =>
  void check(callFset(fd, cPath(Buffer.from(name, 'latin1')), value, value.length, 0), 'fsetxattr');

export function getXattrFd(fd: number, name: string): Buffer | undefined {
  const attribute = cPath(Buffer.from(name, 'latin1'));
  return bytesOf(() => callFget(fd, attribute, scratch, MAX), 'fgetxattr');
}

export const listXattrsFd = (fd: number): string[] => split(bytesOf(() => callFlist(fd, scratch, MAX), 'flistxattr'));
