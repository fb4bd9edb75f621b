import { createHash } from 'node:crypto';
import { posix } from 'node:path';
import { Readable } from 'node:stream';
import { readTar, type TarHeader } from '../../src/archive/index.ts';
import type { Tree, TreeEntry } from './corpus.ts';

const pathOf = (name: string): string =>
  posix.normalize(`/${Buffer.from(name, 'latin1').toString()}`).replace(/(?<=.)\/$/, '');

/** The file tree of an image, from what `docker save` gives: its layers over one another, whiteouts applied. */
export async function imageTree(saved: Buffer): Promise<Tree> {
  const blobs = new Map<string, Buffer>();
  for await (const { header, body } of readTar(Readable.from([saved]))) {
    const chunks: Buffer[] = [];
    for await (const chunk of body) chunks.push(chunk);
    blobs.set(pathOf(header.name), Buffer.concat(chunks));
  }
  const manifest = JSON.parse(String(blobs.get('/manifest.json'))) as [{ Layers: string[] | null }];
  const tree = new Map<string, TreeEntry>();
  for (const name of manifest[0].Layers ?? []) await applyLayer(tree, blobs.get(`/${name}`)!);
  const names = new Map<TreeEntry, string[]>();
  for (const [path, entry] of tree) names.set(entry, [...(names.get(entry) ?? []), path]);
  const result: Tree = {};
  for (const [entry, paths] of names)
    for (const path of paths)
      result[path] = paths.length > 1 ? { ...entry, hardlink_group: paths.toSorted()[0]! } : entry;
  return result;
}

async function applyLayer(tree: Map<string, TreeEntry>, layer: Buffer): Promise<void> {
  const added = new Set<string>();
  const removeBelow = (path: string, keep: ReadonlySet<string> = new Set()): void => {
    for (const one of tree.keys()) if (one.startsWith(`${path}/`) && !keep.has(one)) tree.delete(one);
  };
  for await (const { header, body } of readTar(Readable.from([layer]))) {
    const path = pathOf(header.name);
    const name = posix.basename(path);
    const parent = posix.dirname(path).replace(/^\/$/, '');
    if (name === '.wh..wh..opq') removeBelow(parent, added);
    else if (name.startsWith('.wh.')) {
      const gone = `${parent}/${name.slice('.wh.'.length)}`;
      removeBelow(gone);
      tree.delete(gone);
    } else if (path !== '/') {
      const entry = header.type === 'hardlink' ? tree.get(pathOf(header.linkName ?? ''))! : await entryOf(header, body);
      if (entry.type !== 'dir') removeBelow(path);
      tree.set(path, entry);
      added.add(path);
    }
  }
}

async function entryOf(header: TarHeader, body: AsyncIterable<Buffer>): Promise<TreeEntry> {
  const owner = { uid: header.uid, gid: header.gid };
  const mode = (header.mode & 0o7777).toString(8).padStart(4, '0');
  if (header.type === 'symlink')
    return { ...owner, type: 'symlink', target: Buffer.from(header.linkName ?? '', 'latin1').toString() };
  if (header.type === 'char' || header.type === 'block')
    return { ...owner, mode, type: header.type, dev: [header.deviceMajor ?? 0, header.deviceMinor ?? 0] };
  if (header.type !== 'file') return { ...owner, mode, type: header.type };
  const hash = createHash('sha256');
  for await (const chunk of body) hash.update(chunk);
  return { ...owner, mode, type: 'file', size: header.size, sha256: hash.digest('hex') };
}
