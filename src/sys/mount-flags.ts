import { cPath } from './files.ts';
import { check, libc } from './libc.ts';

const statfsCall = libc.func('int statfs(const void *path, void *buf)');

/** struct statfs of 64-bit Linux: f_flags. */
const FLAGS_OFFSET = 80;
const STRUCT_BYTES = 120;

/** What mount(8) calls the flags of statfs(2) (linux/statfs.h). */
const WORDS: readonly (readonly [number, string])[] = [
  [1, 'ro'],
  [2, 'nosuid'],
  [4, 'nodev'],
  [8, 'noexec'],
  [1024, 'noatime'],
  [2048, 'nodiratime'],
];

/** The flags of the mount that a path lies on, as words. */
export function mountFlagsOf(path: string): string[] {
  const buffer = Buffer.alloc(STRUCT_BYTES);
  check(statfsCall(cPath(path), buffer), 'statfs', path);
  const flags = Number(buffer.readBigUInt64LE(FLAGS_OFFSET));
  return WORDS.filter(([bit]) => (flags & bit) !== 0).map(([, word]) => word);
}
