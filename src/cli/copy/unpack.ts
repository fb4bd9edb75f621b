import { createWriteStream, rmSync } from 'node:fs';
import {
  chmod,
  lchown,
  link,
  lstat,
  lutimes,
  mkdir,
  realpath,
  rename as renameTo,
  rm,
  symlink,
} from 'node:fs/promises';
import { dirname, join, posix, sep } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { extract, type Header } from 'tar-stream';
import { onInterrupt } from '../terminal/on-interrupt.ts';

/**
 * Unpacks a container's archive into `dir`, its top entry renamed to `name` (`.`: left out; undefined: there is none). Owners are kept if `keepOwners`.
 * The archive is the container's word: names that lead out of `dir`, by `..` or through a link, are refused.
 */
export async function unpackLocal(
  tar: Readable,
  dir: string,
  name: string | undefined,
  keepOwners: boolean,
): Promise<number> {
  const root = await realpath(dir);
  const archive = tar.pipe(extract());
  tar.on('error', (error) => archive.destroy(error));
  const directories: { path: string; header: Header }[] = [];
  let size = 0;
  for await (const entry of archive) {
    const target = rename(entry.header.name, name);
    if (target === undefined) {
      entry.resume();
      continue;
    }
    const path = join(root, target);
    await guard(root, path);
    const { header } = entry;
    const old = await lstat(path).catch(() => undefined);
    if (old && !(old.isDirectory() && header.type === 'directory')) {
      if (old.isDirectory()) throw new Error(`cannot overwrite directory ${JSON.stringify(path)} with non-directory`);
      if (!isFile(header)) await rm(path);
    }
    if (header.type === 'directory') {
      if (!old) await mkdir(path, { mode: 0o700 });
      directories.push({ path, header });
    } else if (isFile(header)) {
      size += header.size ?? 0;
      await writeWhole(entry, path, (temporary) => settle(temporary, header, keepOwners));
    } else if (header.type === 'symlink') await symlink(header.linkname ?? '', path);
    else if (header.type === 'link') {
      const source = join(root, rename(header.linkname ?? '', name) ?? '');
      await guard(root, source);
      await link(source, path);
    }
    entry.resume();
    if (header.type === 'symlink' || header.type === 'link') await settle(path, header, keepOwners);
  }
  // Directories last: writing into them changes their times, and their modes may forbid it.
  for (const { path, header } of directories.toReversed()) await settle(path, header, keepOwners);
  return size;
}

const isFile = ({ type }: Header): boolean => type === 'file' || type === 'contiguous-file';

/** A file appears under its name, in the place of an older one, when it is whole; an interrupt leaves nothing of it behind. */
async function writeWhole(
  bytes: AsyncIterable<unknown>,
  path: string,
  finish: (temporary: string) => Promise<void>,
): Promise<void> {
  const temporary = join(dirname(path), `.gantry-${process.pid}.partial`);
  const clean = (): void => rmSync(temporary, { force: true });
  const off = onInterrupt(clean);
  try {
    await pipeline(bytes, createWriteStream(temporary, { mode: 0o600, flags: 'wx' }));
    await finish(temporary);
    await renameTo(temporary, path);
  } catch (error) {
    clean();
    throw error;
  } finally {
    off();
  }
}

/** The entry's path below `dir`: the first part replaced. Undefined for the top entry itself when only contents are wanted. */
export function rename(entry: string, name: string | undefined): string | undefined {
  const clean = posix.normalize(`/${entry}`).slice(1).replace(/\/$/, '');
  if (name === undefined) return clean === '' ? undefined : clean;
  // Of what is in a directory (`dir/.`) the first part is the dot, of a root file system the slash.
  const below = /^\.?(\/|$)/.test(entry) ? clean : clean.split('/').slice(1).join('/');
  const parts = [name === '.' ? '' : name, below].filter((part) => part !== '');
  return parts.length === 0 ? undefined : parts.join('/');
}

async function guard(root: string, path: string): Promise<void> {
  const parent = await realpath(dirname(path));
  if (parent !== root && !parent.startsWith(root === sep ? sep : root + sep))
    throw new Error(`invalid path in archive: ${path} leads out of ${root}`);
}

async function settle(path: string, header: Header, keepOwners: boolean): Promise<void> {
  if (keepOwners) await lchown(path, header.uid ?? 0, header.gid ?? 0);
  if (header.type === 'symlink') return;
  if (header.type !== 'link' && header.mode !== undefined) await chmod(path, header.mode & 0o7777);
  if (header.mtime) await lutimes(path, header.mtime, header.mtime);
}
