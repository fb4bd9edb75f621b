import { chmodSync, chownSync, lstatSync, mkdirSync, readlinkSync, type Stats } from 'node:fs';
import { dirname, join, posix, relative } from 'node:path';
import { invalid, isErrno } from '../common/index.ts';

/** As the system does (linux/namei.h, MAXSYMLINKS). */
const MAX_LINKS = 40;

/** Resolves a path inside a root as a process chrooted there would; links never lead out. What is missing is taken as it stands. */
export function resolveInRoot(root: string, path: string): string {
  let pending = path.split('/').filter((part) => part !== '' && part !== '.');
  let done: string[] = [];
  for (let links = 0; pending.length > 0; ) {
    const [part = '', ...rest] = pending;
    pending = rest;
    if (part === '..') {
      done = done.slice(0, -1);
      continue;
    }
    const here = join(root, ...done, part);
    if (findStat(here)?.isSymbolicLink() !== true) {
      done = [...done, part];
      continue;
    }
    if (++links > MAX_LINKS) throw invalid(`too many levels of symbolic links: ${path}`);
    const target = readlinkSync(here);
    if (target.startsWith('/')) done = [];
    pending = [...target.split('/').filter((piece) => piece !== '' && piece !== '.'), ...pending];
  }
  return join(root, ...done);
}

/** The parent is resolved, the last component is not followed. */
export function resolveParentInRoot(root: string, path: string): string {
  const clean = posix.normalize(`/${path}`);
  return clean === '/' ? root : join(resolveInRoot(root, dirname(clean)), posix.basename(clean));
}

export function findStat(path: string): Stats | undefined {
  try {
    return lstatSync(path);
  } catch (error) {
    if (isErrno(error, 'ENOENT') || isErrno(error, 'ENOTDIR')) return undefined;
    throw error;
  }
}

/**
 * Makes a directory and what is missing above it, below a resolved path; new ones get the owner, and the mode if there is one. Throws
 * invalid where something else is in the way.
 */
export function makeDirectories(
  root: string,
  path: string,
  { uid, gid, mode }: { uid: number; gid: number; mode?: number | undefined },
): void {
  const missing: string[] = [];
  let at = path;
  for (; at.length > root.length && findStat(at) === undefined; at = dirname(at)) missing.push(at);
  if (!lstatSync(at).isDirectory()) throw invalid(`mkdir ${posix.join('/', relative(root, at))}: not a directory`);
  for (const directory of missing.reverse()) {
    mkdirSync(directory, { mode: 0o755 });
    chownSync(directory, uid, gid);
    if (mode !== undefined) chmodSync(directory, mode);
  }
}
