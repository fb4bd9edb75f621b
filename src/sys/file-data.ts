import { promisify } from 'node:util';
import { check, libc, sysError } from './libc.ts';

/** Calls on an open file's bytes that node:fs lacks. */
const callLseek = libc.func('int64_t lseek(int, int64_t, int)');
const callFallocate = libc.func('int fallocate(int, int, int64_t, int64_t)');
const callCopyFileRange = libc.func('intptr_t copy_file_range(int, void *, int, void *, size_t, unsigned int)');
const callIoctl = libc.func('int ioctl(int, unsigned long, int)');
const callSyncfs = libc.func('int syncfs(int)');
const callSyncFileRange = libc.func('int sync_file_range(int, int64_t, int64_t, unsigned int)');

/** lseek(2). */
export const SEEK = { SET: 0, CUR: 1, END: 2, DATA: 3, HOLE: 4 } as const;
/** linux/fs.h: _IOW(0x94, 9, int), the same on x86-64 and arm64. */
const FICLONE = 0x40049409;
const SYNC_FILE_RANGE_WRITE = 2;

export const seek = (fd: number, offset: number, whence: number): number =>
  check(callLseek(fd, offset, whence), 'lseek');

export interface Extent {
  offset: number;
  length: number;
}

/** The parts of a file that hold data; what lies between are holes. A file system without holes answers with the whole. */
export function dataExtents(fd: number, sizeBytes: number): Extent[] {
  const extents: Extent[] = [];
  let at = 0;
  while (at < sizeBytes) {
    let start: number;
    try {
      start = seek(fd, at, SEEK.DATA);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENXIO') break;
      throw error;
    }
    if (start >= sizeBytes) break;
    const end = Math.min(seek(fd, start, SEEK.HOLE), sizeBytes);
    extents.push({ offset: start, length: end - start });
    at = end;
  }
  seek(fd, 0, SEEK.SET);
  return extents;
}

/** fallocate(2); `mode` 0 allocates and grows. */
export const fallocate = (fd: number, mode: number, offset: number, length: number): void =>
  void check(callFallocate(fd, mode, offset, length), 'fallocate');

const offsets = { in: Buffer.alloc(8), out: Buffer.alloc(8) };

/** copy_file_range(2) at explicit offsets; returns the bytes copied, 0 at the end of the source. */
export function copyFileRange(from: number, fromOffset: number, to: number, toOffset: number, length: number): number {
  offsets.in.writeBigInt64LE(BigInt(fromOffset));
  offsets.out.writeBigInt64LE(BigInt(toOffset));
  return check(callCopyFileRange(from, offsets.in, to, offsets.out, length, 0), 'copy_file_range');
}

/** Shares the source's blocks with the target (btrfs, xfs, bcachefs); false where the file system cannot. */
export const cloneFile = (from: number, to: number): boolean => callIoctl(to, FICLONE, from) === 0;

/** Starts writing a range to disk without waiting for it, so that a later sync has less to do. */
export const startWriteback = (fd: number, offset: number, length: number): void =>
  void callSyncFileRange(fd, offset, length, SYNC_FILE_RANGE_WRITE);

const syncfsAsync = promisify(callSyncfs.async) as (fd: number) => Promise<number>;

/** Writes a whole file system's changes to disk; runs on a thread of the pool. */
export async function syncFileSystem(fd: number): Promise<void> {
  // errno belongs to the pool's thread and is gone here; the manual leaves EIO, ENOSPC and EDQUOT, which all mean "not on disk".
  if ((await syncfsAsync(fd)) !== 0) throw sysError(5, 'syncfs');
}
