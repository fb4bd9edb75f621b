import { createWriteStream, rmSync } from 'node:fs';
import { chmod, lchown, link, lstat, mkdir, realpath, rename as renameTo, rm, symlink } from 'node:fs/promises';
import { posix } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { byteName, readTar, type TarEntryType, type TarHeader, textOf, writeXattr } from '../../archive/index.ts';
import { AT_FDCWD, mknodAt, S_IF, utimesAt } from '../../sys/index.ts';
import { onInterrupt } from '../terminal/on-interrupt.ts';

/** Names and paths here are byte strings, one character a byte: names need not be UTF-8. */
const system = (path: string): Buffer => Buffer.from(path, 'latin1');

const NODES = new Map<TarEntryType, number>([
  ['char', S_IF.CHR],
  ['block', S_IF.BLK],
  ['fifo', S_IF.FIFO],
]);

/**
 * Unpacks a container's archive into `dir`, its top entry renamed to `name` (`.`: left out; undefined: there is none). Owners are kept if `keepOwners`.
 * The archive is the container's word: names that lead out of `dir`, by `..` or through a link, are refused.
 */
export async function unpackLocal(
  tar: AsyncIterable<Uint8Array>,
  dir: string,
  name: string | undefined,
  keepOwners: boolean,
): Promise<void> {
  const root = byteName(await realpath(dir));
  const top = name === undefined ? undefined : byteName(name);
  const directories: { path: string; header: TarHeader }[] = [];
  for await (const { header, body } of readTar(tar)) {
    const target = rename(header.name, top);
    if (target === undefined) continue;
    const path = posix.join(root, target);
    await guard(root, path);
    const old = await lstat(system(path)).catch(() => undefined);
    if (old && !(old.isDirectory() && header.type === 'dir')) {
      if (old.isDirectory())
        throw new Error(`cannot overwrite directory ${JSON.stringify(textOf(path))} with non-directory`);
      if (header.type !== 'file') await rm(system(path));
    }
    if (header.type === 'dir') {
      if (!old) await mkdir(system(path), { mode: 0o700 });
      directories.push({ path, header });
    } else if (header.type === 'file')
      await writeWhole(body, path, (temporary) => settle(temporary, header, keepOwners));
    else {
      await makeNode(root, path, header, top);
      await settle(path, header, keepOwners);
    }
  }
  // Directories last: writing into them changes their times, and their modes may forbid it.
  for (const { path, header } of directories.toReversed()) await settle(path, header, keepOwners);
}

async function makeNode(root: string, path: string, header: TarHeader, top: string | undefined): Promise<void> {
  const { type, linkName = '', deviceMajor, deviceMinor } = header;
  if (type === 'symlink') return symlink(system(linkName), system(path));
  if (type === 'hardlink') {
    const source = posix.join(root, rename(linkName, top) ?? '');
    await guard(root, source);
    return link(system(source), system(path));
  }
  mknodAt(AT_FDCWD, system(path), (NODES.get(type) ?? 0) | 0o600, deviceMajor, deviceMinor);
}

/** A file appears under its name, in the place of an older one, when it is whole; an interrupt leaves nothing of it behind. */
async function writeWhole(
  bytes: AsyncIterable<unknown>,
  path: string,
  finish: (temporary: string) => Promise<void>,
): Promise<void> {
  const temporary = posix.join(posix.dirname(path), `.gantry-${process.pid}.partial`);
  const clean = (): void => rmSync(system(temporary), { force: true });
  const off = onInterrupt(clean);
  try {
    await pipeline(bytes, createWriteStream(system(temporary), { mode: 0o600, flags: 'wx' }));
    await finish(temporary);
    await renameTo(system(temporary), system(path));
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
  const parent = byteName(await realpath(system(posix.dirname(path))));
  if (parent !== root && !parent.startsWith(root === '/' ? root : `${root}/`))
    throw new Error(`invalid path in archive: ${textOf(path)} leads out of ${textOf(root)}`);
}

async function settle(path: string, header: TarHeader, keepOwners: boolean): Promise<void> {
  const file = system(path);
  if (keepOwners) await lchown(file, header.uid, header.gid);
  if (header.type === 'symlink') return utimesAt(AT_FDCWD, file, header.mtime, header.mtime);
  if (header.type !== 'hardlink') await chmod(file, header.mode);
  for (const [key, value] of header.xattrs ?? []) writeXattr(file, key, value);
  utimesAt(AT_FDCWD, file, header.mtime, header.mtime);
}
