import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { account, makeTree } from '../../test/support/tree.ts';
import { isKind } from '../common/index.ts';
import {
  copyTree,
  extractInto,
  packDirectory,
  readTar,
  removeTree,
  type TarItem,
  textOf,
  treeSize,
  writeTar,
} from './index.ts';

const options = { skip: process.getuid?.() === 0 ? false : 'needs root' };

function fresh(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'gt-trees-'));
  t.after(() => rmSync(dir, { recursive: true }));
  return dir;
}

test('a tree survives packing and extracting', options, async (t) => {
  const dir = fresh(t);
  makeTree(join(dir, 'in'));
  for (const [index, sparseFromBytes] of [1, 2 ** 40].entries()) {
    const out = join(dir, `out${index}`);
    mkdirSync(out);
    await extractInto(out, packDirectory(join(dir, 'in'), '/', { as: '', sparseFromBytes }));
    assert.deepEqual(account(out), account(join(dir, 'in')));
  }
});

test('a tree survives GNU tar on either side', options, async (t) => {
  const dir = fresh(t);
  makeTree(join(dir, 'in'));
  mkdirSync(join(dir, 'a'));
  mkdirSync(join(dir, 'b'));
  const archive = join(dir, 'x.tar');
  writeFileSync(archive, Buffer.concat(await Array.fromAsync(packDirectory(dir, 'in', { as: '' }))));
  execFileSync('tar', ['-C', join(dir, 'a'), '--xattrs', '--xattrs-include=*', '--numeric-owner', '-xpf', archive]);
  assert.deepEqual(account(join(dir, 'a')), account(join(dir, 'in')));
  execFileSync('sh', ['-c', `cd '${dir}/in' && tar --format=pax --xattrs --xattrs-include='*' -cSf '${archive}' *`]);
  await extractInto(join(dir, 'b'), Readable.from([gzipSync(readFileSync(archive))]));
  assert.deepEqual(account(join(dir, 'b')), account(join(dir, 'in')));
});

test('a tree survives copying', options, async (t) => {
  const dir = fresh(t);
  makeTree(join(dir, 'in'));
  const result = await copyTree(join(dir, 'in'), join(dir, 'out'));
  assert.deepEqual(account(join(dir, 'out')), account(join(dir, 'in')));
  assert.ok(result.files > 5);
  assert.equal(await treeSize(join(dir, 'out')), await treeSize(join(dir, 'in')));
  await copyTree(join(dir, 'in/sub/file'), join(dir, 'one'), { owner: { uid: 5, gid: 6 }, mode: 0o600 });
  const stat = lstatSync(join(dir, 'one'));
  assert.deepEqual([stat.uid, stat.gid, stat.mode & 0o7777], [5, 6, 0o600]);
});

test('a copy follows no link of its destination', options, async (t) => {
  const dir = fresh(t);
  mkdirSync(join(dir, 'in/d'), { recursive: true });
  writeFileSync(join(dir, 'in/f'), 'new');
  writeFileSync(join(dir, 'in/d/g'), 'new');
  mkdirSync(join(dir, 'victim'));
  writeFileSync(join(dir, 'victim/f'), 'safe');
  mkdirSync(join(dir, 'out'));
  symlinkSync('../victim/f', join(dir, 'out/f'));
  symlinkSync('../victim', join(dir, 'out/d'));
  await copyTree(join(dir, 'in'), join(dir, 'out'));
  assert.equal(readFileSync(join(dir, 'victim/f'), 'utf8'), 'safe');
  assert.deepEqual(readdirSync(join(dir, 'victim')), ['f']);
  assert.equal(readFileSync(join(dir, 'out/d/g'), 'utf8'), 'new');
});

test('removing a tree follows no link', options, async (t) => {
  const dir = fresh(t);
  makeTree(join(dir, 'in'));
  mkdirSync(join(dir, 'victim'));
  writeFileSync(join(dir, 'victim/f'), 'safe');
  symlinkSync('../victim', join(dir, 'in/away'));
  await removeTree(join(dir, 'in'));
  await removeTree(join(dir, 'in'));
  assert.deepEqual(readdirSync(dir), ['victim']);
  assert.equal(readFileSync(join(dir, 'victim/f'), 'utf8'), 'safe');
});

const names = async (source: AsyncIterable<Uint8Array>) => {
  const found: string[] = [];
  for await (const { header } of readTar(source)) found.push(textOf(header.name));
  return found;
};

test('the packed top entry is named as asked', options, async (t) => {
  const dir = fresh(t);
  mkdirSync(join(dir, 'd'));
  writeFileSync(join(dir, 'd/f'), 'x');
  symlinkSync('d', join(dir, 'l'));
  symlinkSync('/d', join(dir, 'abs'));
  assert.deepEqual(await names(packDirectory(dir, 'd')), ['d/', 'd/f']);
  assert.deepEqual(await names(packDirectory(dir, 'd', { as: 'new' })), ['new/', 'new/f']);
  assert.deepEqual(await names(packDirectory(dir, 'd', { as: '' })), ['f']);
  assert.deepEqual(await names(packDirectory(dir, 'd', { as: '', topEntry: true })), ['./', 'f']);
  assert.deepEqual(await names(packDirectory(dir, 'd/f')), ['f']);
  assert.deepEqual(await names(packDirectory(dir, 'd/f', { as: 'g' })), ['g']);
  assert.deepEqual(await names(packDirectory(dir, 'l')), ['l']);
  assert.deepEqual(await names(packDirectory(dir, 'l', { follow: true, as: 'x' })), ['x/', 'x/f']);
  assert.deepEqual(await names(packDirectory(dir, 'abs/f')), ['f']);
  await assert.rejects(names(packDirectory(dir, 'none')), /ENOENT/);
});

test('packing resolves inside the root, never out of it', options, async (t) => {
  const dir = fresh(t);
  mkdirSync(join(dir, 'root'));
  writeFileSync(join(dir, 'secret'), 'x');
  symlinkSync('../secret', join(dir, 'root/up'));
  symlinkSync(join(dir, 'secret'), join(dir, 'root/abs'));
  for (const path of ['up', 'abs', '../secret'])
    await assert.rejects(names(packDirectory(join(dir, 'root'), path, { follow: true })), /ENOENT/);
});

test('packing ends when its reader goes or it is cancelled', options, async (t) => {
  const dir = fresh(t);
  writeFileSync(join(dir, 'f'), Buffer.alloc(8_000_000));
  for await (const chunk of packDirectory(dir, 'f')) {
    assert.ok(chunk.length > 0);
    break;
  }
  const abort = new AbortController();
  const stream = packDirectory(dir, 'f', { signal: abort.signal });
  stream.once('data', () => abort.abort());
  await assert.rejects(Array.fromAsync(stream), (error) => isKind(error, 'cancelled'));
});

const archive = (items: TarItem[]) => writeTar(items);
const file = (name: string, body = 'x'): TarItem => ({ header: { name }, body: Buffer.from(body) });
const dirEntry = (name: string): TarItem => ({ header: { name, type: 'dir' } });

test('a directory is not replaced by a file, nor the other way round, where that is not wanted', options, async (t) => {
  const dir = fresh(t);
  mkdirSync(join(dir, 'd'));
  writeFileSync(join(dir, 'd/keep'), '');
  writeFileSync(join(dir, 'f'), '');
  const strict = { noOverwriteDirNonDir: true };
  await assert.rejects(
    extractInto(dir, archive([file('d')]), strict),
    /cannot overwrite directory "d" with non-directory "\/"/,
  );
  await assert.rejects(
    extractInto(dir, archive([dirEntry('f/')]), strict),
    /cannot overwrite non-directory "f" with directory "\/"/,
  );
  assert.ok(existsSync(join(dir, 'd/keep')));
  await extractInto(dir, archive([file('d'), dirEntry('f/')]));
  assert.ok(lstatSync(join(dir, 'd')).isFile());
  assert.ok(lstatSync(join(dir, 'f')).isDirectory());
});

test('extracting goes into a path inside the root, gives owners and renames the top', options, async (t) => {
  const dir = fresh(t);
  mkdirSync(join(dir, 'real'));
  symlinkSync('/real', join(dir, 'link'));
  await extractInto(
    dir,
    archive([dirEntry('top/'), file('top/f'), { header: { name: 'top/h', type: 'hardlink', linkName: 'top/f' } }]),
    {
      path: 'link',
      owner: { uid: 12, gid: 34 },
      renameTop: 'new',
    },
  );
  const stat = lstatSync(join(dir, 'real/new/f'));
  assert.deepEqual([stat.uid, stat.gid, stat.nlink], [12, 34, 2]);
  await assert.rejects(extractInto(dir, archive([file('f')]), { path: 'none' }), /ENOENT/);
});

test('the last entry of a file says what it is like, also if it is a hard link', options, async (t) => {
  const dir = fresh(t);
  const link = {
    name: 'h',
    type: 'hardlink',
    linkName: 'f',
    mode: 0o4600,
    uid: 7,
    gid: 8,
    mtime: { seconds: 1_400_000_000, nanoseconds: 0 },
  } as const;
  await extractInto(dir, archive([file('f'), { header: link }]));
  const { mode, uid, gid, nlink, mtimeMs } = lstatSync(join(dir, 'f'));
  assert.deepEqual([mode & 0o7777, uid, gid, nlink, mtimeMs], [0o4600, 7, 8, 2, 1_400_000_000_000]);
});

test('a file that somebody put a link in the place of is made anew', options, async (t) => {
  const dir = fresh(t);
  mkdirSync(join(dir, 'root'));
  writeFileSync(join(dir, 'victim'), 'safe');
  symlinkSync('../victim', join(dir, 'root/f'));
  await extractInto(join(dir, 'root'), archive([file('f', 'mine')]));
  assert.equal(readFileSync(join(dir, 'victim'), 'utf8'), 'safe');
  assert.equal(readFileSync(join(dir, 'root/f'), 'utf8'), 'mine');
});

test(
  'links of an archive lead below its root: what they miss is made, and climbing out is refused',
  options,
  async (t) => {
    const dir = fresh(t);
    const link = (name: string, linkName: string): TarItem => ({ header: { name, type: 'symlink', linkName } });
    await extractInto(dir, archive([link('l', '/etc/./x'), file('l/f'), link('up', 'l/../y'), file('up/d/g')]));
    assert.ok(lstatSync(join(dir, 'etc/x/f')).isFile());
    assert.ok(lstatSync(join(dir, 'etc/y/d/g')).isFile());
    assert.equal(readlinkSync(join(dir, 'l')), '/etc/./x');
    await assert.rejects(extractInto(dir, archive([link('out', '..'), file('out/f')])), /out leads out of its root/);
    await assert.rejects(
      extractInto(dir, archive([link('round', 'round'), file('round/f')])),
      /too many symbolic links/,
    );
  },
);

test('an entry without a name that is no directory is passed over', options, async (t) => {
  const dir = fresh(t);
  await extractInto(dir, archive([file('./'), file('f')]));
  assert.deepEqual(readdirSync(dir), ['f']);
});

test('too many entries, a hard link to nothing and a bomb are refused', options, async (t) => {
  const dir = fresh(t);
  const many = archive(Array.from({ length: 11 }, (_, index) => file(`f${index}`)));
  await assert.rejects(extractInto(dir, many, { maxEntries: 10 }), (error) => isKind(error, 'invalid'));
  const link = archive([{ header: { name: 'h', type: 'hardlink', linkName: 'none' } }]);
  await assert.rejects(extractInto(dir, link), /has not brought before/);
  const bomb = gzipSync(Buffer.concat(await Array.fromAsync(archive([file('z', '\0'.repeat(5_000_000))]))));
  await assert.rejects(extractInto(dir, Readable.from([bomb]), { maxBytes: 100_000 }), /unpacks to more/);
});

test('a source that fails is what an extraction fails with', options, async (t) => {
  const dir = fresh(t);
  const source = Readable.from(
    (async function* () {
      yield Buffer.concat(await Array.fromAsync(archive([file('f')]))).subarray(0, 512);
      throw new Error('the line is cut');
    })(),
  );
  await assert.rejects(extractInto(dir, source), /the line is cut/);
});
