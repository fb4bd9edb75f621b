import { lstatSync, readFileSync, readlinkSync, readSync } from 'node:fs';
import { join, posix } from 'node:path';
import { invalid } from '../../common/index.ts';
import { closeFd, O, openInRoot, S_IF, statFd } from '../../sys/index.ts';

/**
 * Resolves a path inside a root as a process chrooted there would; symlinks never lead out. Missing parts are taken as they stand, and so is
 * the rest of the path below a place of which `isCovered` says that something else will be seen there.
 */
export function resolveInRoot(
  root: string,
  path: string,
  isCovered: (inside: string) => boolean = () => false,
): string {
  let pending = posix
    .normalize(`/${path}`)
    .split('/')
    .filter((part) => part !== '');
  let done: string[] = [];
  for (let links = 0; pending.length > 0; ) {
    if (isCovered(`/${done.join('/')}`)) return join(root, ...done, ...pending);
    const [part = '', ...rest] = pending;
    pending = rest;
    if (part === '..') {
      done = done.slice(0, -1);
      continue;
    }
    let target: string | undefined;
    try {
      const here = join(root, ...done, part);
      if (lstatSync(here).isSymbolicLink()) target = readlinkSync(here);
    } catch {
      // what is not there is no link
    }
    if (target === undefined) done = [...done, part];
    else {
      if (++links > 255) throw invalid(`evalSymlinksInScope: too many links in ${join(root, path)}`);
      if (target.startsWith('/')) done = [];
      pending = [...target.split('/').filter((piece) => piece !== '' && piece !== '.'), ...pending];
    }
  }
  return join(root, ...done);
}

/** A small file's text; empty if it cannot be read. */
export function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** Longer files of accounts are somebody's trap. */
const MAX_ACCOUNTS_BYTES = 64 * 1024 * 1024;

/**
 * The text of a file as a process chrooted in `root` reads it; empty if it cannot be read. The file is an image's or a running container's, so
 * nothing in it may lead out or hold the daemon up: links are followed inside, also while they are exchanged; pipes and devices are not read.
 */
export function textInRoot(root: string, path: string): string {
  let fd: number;
  try {
    fd = openInRoot(root, path, O.RDONLY | O.NONBLOCK | O.NOCTTY);
  } catch {
    return '';
  }
  try {
    const stat = statFd(fd);
    if ((stat.mode & S_IF.MT) !== S_IF.REG || stat.sizeBytes > MAX_ACCOUNTS_BYTES) return '';
    const bytes = Buffer.alloc(stat.sizeBytes);
    return bytes.toString('utf8', 0, readSync(fd, bytes, 0, bytes.length, 0));
  } catch {
    return '';
  } finally {
    closeFd(fd);
  }
}

/** The users and groups that a root file system knows. */
export const accountsOf = (root: string): { passwd: string; group: string } => ({
  passwd: textInRoot(root, '/etc/passwd'),
  group: textInRoot(root, '/etc/group'),
});
