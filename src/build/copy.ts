import { createReadStream, lstatSync, readdirSync, rmdirSync, rmSync } from 'node:fs';
import { mkdir, open } from 'node:fs/promises';
import { dirname, join, posix, relative } from 'node:path';
import {
  copyTree,
  decompress,
  detectCompression,
  extractInto,
  type ModeChange,
  type Owner,
  readTar,
  removeTree,
} from '../archive/index.ts';
import { invalid } from '../common/index.ts';
import { IgnoreMatcher } from '../dockerfile/index.ts';
import { findStat, makeDirectories, resolveInRoot, resolveParentInRoot } from './root-path.ts';
import type { Source } from './sources.ts';

export interface CopyRequest {
  instruction: 'COPY' | 'ADD';
  /** Mounted root of the stage. */
  root: string;
  /** Absolute in the root; ends with `/` if it must be a directory. */
  destination: string;
  sources: readonly Source[];
  /** Owner of what is copied; undefined keeps the sources'. */
  owner: Owner | undefined;
  /** Owner of what comes out of an archive; undefined keeps the archive's. */
  unpackedOwner?: Owner;
  mode: ModeChange | undefined;
  parents: boolean;
  exclude: readonly string[];
  /** Archives among these are unpacked. */
  unpack: (source: Source) => boolean;
  /** A directory for what must be prepared. */
  scratch: string;
  signal: AbortSignal;
}

const ROOT: Owner = { uid: 0, gid: 0 };
/** Of `--chmod`, what directories made for a destination get. */
export const MADE_MODE = 0o755;

export async function copyInto(request: CopyRequest): Promise<void> {
  for (const source of request.sources) {
    request.signal.throwIfAborted();
    if (!source.directory && request.unpack(source) && (await isArchive(source.path)))
      await unpackInto(request, source);
    else if (request.exclude.length > 0 && source.directory) await copyFiltered(request, source);
    else if (source.directory || !matches(request.exclude, source.name)) await copyOne(request, source);
  }
}

const matches = (patterns: readonly string[], path: string): boolean =>
  patterns.length > 0 && new IgnoreMatcher(patterns).excludes(path);

async function unpackInto(
  { root, destination, unpackedOwner: owner, signal }: CopyRequest,
  source: Source,
): Promise<void> {
  const target = resolveInRoot(root, destination);
  makeDirectories(root, target, owner ?? ROOT);
  await extractInto(target, createReadStream(source.path), { owner, signal });
}

async function copyOne(request: CopyRequest, source: Source): Promise<void> {
  const { root, owner, mode, signal } = request;
  const target = targetOf(request, source);
  const there = findStat(target);
  if (source.directory && there !== undefined && !there.isDirectory())
    throw invalid(`cannot copy to non-directory: ${posix.join('/', relative(root, target))}`);
  if (!source.directory && there?.isDirectory() === true)
    throw invalid(`cannot replace to directory ${posix.join('/', relative(root, target))} with file`);
  if (request.parents) await copyParents(request, source);
  // What is made for the destination takes a mode in numbers, as far as BuildKit's umask lets it.
  // The destination directory is made like those above it; it does not take after the source.
  const takesAfter = request.parents || !source.directory;
  const made = { ...(owner ?? ROOT), mode: typeof mode === 'number' ? mode & MADE_MODE : undefined };
  makeDirectories(root, takesAfter ? dirname(target) : target, made);
  await copyTree(source.path, target, { owner, mode, keepTop: !takesAfter || there !== undefined, signal });
}

/** A file goes into a directory that is there or must be; a directory's children go into the destination itself. */
function targetOf({ root, destination, parents, instruction }: CopyRequest, source: Source): string {
  if (parents) return resolveParentInRoot(root, posix.join(destination, source.kept));
  const target = resolveInRoot(root, destination);
  if (source.directory) return target;
  const stat = findStat(target);
  if (stat?.isDirectory() === true) return join(target, source.name);
  if (!destination.endsWith('/')) return target;
  if (stat !== undefined)
    throw invalid(`${instruction} failed: mkdir ${posix.join('/', relative(root, target))}: not a directory`);
  return join(target, source.name);
}

/** Directories above a source keep their modes. */
async function copyParents({ root, destination, owner, signal, scratch }: CopyRequest, source: Source): Promise<void> {
  const names = source.kept.split('/').slice(0, -1);
  const empty = join(scratch, 'parents');
  for (const [index] of names.entries()) {
    const target = resolveParentInRoot(root, posix.join(destination, ...names.slice(0, index + 1)));
    if (findStat(target) !== undefined) continue;
    makeDirectories(root, dirname(target), owner ?? ROOT);
    await mkdir(empty, { recursive: true });
    const above = names.length - index;
    const stat = lstatSync(Array.from({ length: above }).reduce<string>((path) => dirname(path), source.path));
    await copyTree(empty, target, {
      owner: owner ?? { uid: stat.uid, gid: stat.gid },
      mode: stat.mode & 0o7777,
      signal,
    });
  }
}

/** Copies to a place of its own, takes out what is excluded, copies the rest. */
async function copyFiltered(request: CopyRequest, source: Source): Promise<void> {
  const staged = join(request.scratch, 'filtered');
  await removeTree(staged);
  await copyTree(source.path, staged, { signal: request.signal });
  const matcher = new IgnoreMatcher(request.exclude);
  dropExcluded(staged, '', matcher);
  await copyOne(request, { ...source, path: staged });
  await removeTree(staged);
}

function dropExcluded(directory: string, at: string, matcher: IgnoreMatcher): void {
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = at === '' ? entry.name : `${at}/${entry.name}`;
    const here = join(directory, entry.name);
    if (entry.isDirectory()) {
      dropExcluded(here, path, matcher);
      if (matcher.excludes(path) && readdirSync(here).length === 0) rmdirSync(here);
    } else if (matcher.excludes(path)) rmSync(here);
  }
}

/** True for a tar, plain or compressed: its first entry can be read. */
export async function isArchive(path: string): Promise<boolean> {
  const handle = await open(path, 'r');
  let head: Buffer;
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(512), 0, 512, 0);
    head = buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
  if (head.length < 10) return false;
  if (detectCompression(head) === 'none' && head.subarray(257, 262).toString('latin1') !== 'ustar') return false;
  const stream = createReadStream(path);
  try {
    for await (const _entry of readTar((await decompress(stream)).stream)) return true;
    return false;
  } catch {
    return false;
  } finally {
    stream.destroy();
  }
}
