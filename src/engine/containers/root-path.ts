import { lstatSync, readFileSync, readlinkSync } from 'node:fs';
import { join, posix } from 'node:path';
import { invalid } from '../../common/index.ts';

/** Resolves a path inside a root as a process chrooted there would; symlinks never lead out. Missing parts are taken as they stand. */
export function resolveInRoot(root: string, path: string): string {
  let pending = posix
    .normalize(`/${path}`)
    .split('/')
    .filter((part) => part !== '');
  let done: string[] = [];
  for (let links = 0; pending.length > 0; ) {
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
      if (++links > 255) throw invalid(`too many levels of symbolic links: ${path}`);
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

/** The users and groups that a root file system knows. */
export const accountsOf = (root: string): { passwd: string; group: string } => ({
  passwd: textOf(resolveInRoot(root, '/etc/passwd')),
  group: textOf(resolveInRoot(root, '/etc/group')),
});
