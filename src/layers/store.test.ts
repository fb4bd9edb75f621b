import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import {
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { readTar, type TarHeader, type TarItem, writeTar } from '../archive/index.ts';
import { isKind, silentLogger } from '../common/index.ts';
import { openDatabase } from '../state/index.ts';
import { getXattr, unmount } from '../sys/index.ts';
import { openLayerStore } from './index.ts';

const isRoot = process.getuid?.() === 0;
const options = { skip: isRoot ? false : 'needs root' };

async function fresh(t: TestContext) {
  const dir = mkdtempSync(join(tmpdir(), 'gt-layers-'));
  const db = openDatabase(join(dir, 'state.db'));
  const open = () => openLayerStore({ dir: join(dir, 'layers'), execRoot: join(dir, 'run'), db, log: silentLogger });
  const store = await open();
  t.after(() => {
    for (const id of readdirSync(join(dir, 'run/snapshots')))
      try {
        unmount(join(dir, 'run/snapshots', id));
      } catch {
        // Not mounted.
      }
    db.close();
    rmSync(dir, { recursive: true });
  });
  return { dir, store, lease: store.lease(), open };
}

const tar = async (items: TarItem[]): Promise<Buffer> => Buffer.concat(await Array.fromAsync(writeTar(items)));
const file = (name: string, body: string, header: Partial<TarHeader> = {}): TarItem => ({
  header: { name, ...header },
  body: Buffer.from(body),
});
const dir = (name: string, header: Partial<TarHeader> = {}): TarItem => ({ header: { name, type: 'dir', ...header } });
const link = (name: string, linkName: string, type: 'symlink' | 'hardlink' = 'symlink'): TarItem => ({
  header: { name, linkName, type },
});
const diffIdOf = (bytes: Buffer) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
const from = (bytes: Buffer) => async () => Readable.from([bytes]);

test('a layer is unpacked, verified and found again by its chain', options, async (t) => {
  const { dir: root, store, lease, open } = await fresh(t);
  const bytes = await tar([dir('etc/'), file('etc/motd', 'hello')]);
  const base = await store.unpack(from(gzipSync(bytes)), lease, { diffId: diffIdOf(bytes) });
  assert.deepEqual(base, { chainId: diffIdOf(bytes), diffId: diffIdOf(bytes), parent: undefined, sizeBytes: 5 });
  assert.equal(readFileSync(join(root, 'layers', base.chainId.slice(7), 'etc/motd'), 'utf8'), 'hello');
  const upper = await tar([file('x', 'y')]);
  const second = await store.unpack(from(upper), lease, { parent: base.chainId });
  assert.equal(second.chainId, diffIdOf(Buffer.from(`${base.chainId} ${second.diffId}`)));
  assert.deepEqual((await open()).list(), [base, second]);
  const again = await store.unpack(() => assert.fail('read again'), lease, { diffId: base.diffId });
  assert.deepEqual(again, base);
});

test('a layer may be unpacked before it is known what it stands on', options, async (t) => {
  const { dir: root, store, lease } = await fresh(t);
  const base = await tar([
    dir('etc/', { mode: 0o700, uid: 7, gid: 8, mtime: { seconds: 1e9, nanoseconds: 0 } }),
    file('etc/old', 'x'),
    file('other', 'x'),
  ]);
  const upper = await tar([file('etc/new', 'y'), file('made/up', 'z'), file('.wh..wh..opq', '')]);
  const parent = (await store.unpack(from(base), lease, {})).chainId;
  const direct = await store.unpack(from(upper), lease, { parent });
  const look = (chainId: string, path: string) => lstatSync(join(root, 'layers', chainId.slice(7), path));
  const seen = () => ({
    etc: [look(direct.chainId, 'etc')].map(({ mode, uid, gid, mtimeMs }) => [mode & 0o777, uid, gid, mtimeMs]),
    made: look(direct.chainId, 'made').mode & 0o777,
    hidden: look(direct.chainId, 'other').isCharacterDevice(),
    opaque: getXattr(join(root, 'layers', direct.chainId.slice(7), 'etc'), 'trusted.overlay.opaque')?.toString(),
  });
  const expected = { etc: [[0o700, 7, 8, 1e12]], made: 0o755, hidden: true, opaque: 'y' };
  assert.deepEqual(seen(), expected);
  const own = store.lease();
  lease.end();
  await store.remove(direct.chainId);
  const { signal } = new AbortController();
  const staged = await store.stage(Readable.from([gzipSync(upper)]), { signal });
  assert.equal(staged.diffId, direct.diffId);
  assert.deepEqual(await staged.place(parent, own), direct);
  assert.deepEqual(seen(), expected);
  await (await store.stage(Readable.from([upper]), { signal })).discard();
  assert.deepEqual(readdirSync(join(root, 'layers/passing')), []);
  await assert.rejects(store.stage(Readable.from([Buffer.alloc(1024, 7)]), { signal }), { kind: 'invalid' });
  assert.deepEqual(readdirSync(join(root, 'layers/passing')), []);
});

test('a layer is unpacked beside the one below it, and goes with it if that fails', options, async (t) => {
  const { dir: root, store, lease } = await fresh(t);
  const [base, upper] = [await tar([dir('d/', { mode: 0o711 }), file('d/one', '1')]), await tar([file('d/two', '2')])];
  const passing = () => readdirSync(join(root, 'layers/passing'));
  const unpackBoth = async (end: (feed: PassThrough) => void) => {
    const feed = new PassThrough();
    feed.write(base.subarray(0, 600));
    const both = [
      store.unpack(async () => feed, lease, { diffId: diffIdOf(base) }),
      store.unpack(from(upper), lease, { parent: diffIdOf(base), diffId: diffIdOf(upper) }),
    ];
    const settled = Promise.allSettled(both);
    while (!passing().some((name) => existsSync(join(root, 'layers/passing', name, 'd/two')))) await pause(5);
    assert.deepEqual(store.list(), []);
    end(feed);
    return await settled;
  };
  const failed = await unpackBoth((feed) => feed.end(Buffer.alloc(5000, 7)));
  assert.deepEqual(
    failed.map(({ status }) => status),
    ['rejected', 'rejected'],
  );
  assert.deepEqual([store.list(), passing()], [[], []]);
  await unpackBoth((feed) => feed.end(base.subarray(600)));
  const [, second] = store.list();
  assert.equal(second?.parent, diffIdOf(base));
  assert.equal(lstatSync(join(root, 'layers', second.chainId.slice(7), 'd')).mode & 0o777, 0o711);
  assert.deepEqual(passing(), []);
});

test('an archive with another diff id, or a broken one, leaves nothing', options, async (t) => {
  const { dir: root, store, lease } = await fresh(t);
  const bytes = await tar([file('a', 'b'.repeat(5000))]);
  const wrong = store.unpack(from(bytes), lease, { diffId: `sha256:${'0'.repeat(64)}` });
  await assert.rejects(wrong, (error) => isKind(error, 'invalid'));
  await assert.rejects(store.unpack(from(bytes.subarray(0, 3000)), lease, {}), /unexpected end/);
  await assert.rejects(store.unpack(from(gzipSync(bytes).subarray(0, 60)), lease, {}), /ends too early/);
  assert.deepEqual(store.list(), []);
  assert.deepEqual(readdirSync(join(root, 'layers')).sort(), ['empty', 'passing', 'snapshots']);
  assert.deepEqual(readdirSync(join(root, 'layers/passing')), []);
});

test('two calls for one chain share one run', options, async (t) => {
  const { store, lease } = await fresh(t);
  const bytes = await tar([file('a', 'b')]);
  let opened = 0;
  const source = async () => {
    opened++;
    return Readable.from([bytes]);
  };
  const both = await Promise.all([1, 2].map(() => store.unpack(source, lease, { diffId: diffIdOf(bytes) })));
  assert.deepEqual(both[0], both[1]);
  assert.equal(opened, 1);
});

test('a cancelled unpack leaves nothing, and one waiter of two may go', options, async (t) => {
  const { dir: root, store, lease } = await fresh(t);
  const bytes = await tar([file('a', 'b')]);
  const { promise: gate, resolve: go } = Promise.withResolvers<void>();
  const slow = async () =>
    Readable.from(
      (async function* () {
        yield bytes.subarray(0, 512);
        await gate;
        yield bytes.subarray(512);
      })(),
    );
  const abort = new AbortController();
  const first = store.unpack(slow, lease, { diffId: diffIdOf(bytes), signal: abort.signal });
  const second = store.unpack(slow, lease, { diffId: diffIdOf(bytes) });
  abort.abort();
  await assert.rejects(first, (error) => isKind(error, 'cancelled'));
  go();
  await second;
  const never = async () => new Readable({ read() {} });
  const stop = new AbortController();
  const third = store.unpack(never, lease, { signal: stop.signal });
  setImmediate(() => stop.abort());
  await assert.rejects(third, (error) => isKind(error, 'cancelled'));
  const unopened = store.unpack(() => new Promise(() => {}), lease, { signal: AbortSignal.timeout(20) });
  await assert.rejects(unopened, (error) => isKind(error, 'cancelled'));
  assert.deepEqual(readdirSync(join(root, 'layers/passing')), []);
});

test('whiteouts and opaque directories hide what is below, in any order of entries', options, async (t) => {
  const { store, lease } = await fresh(t);
  const base = await store.unpack(
    from(
      await tar([
        file('gone', '1'),
        file('kept', '1'),
        dir('d/', { mode: 0o711, uid: 7 }),
        file('d/old', '1'),
        dir('e/'),
        file('e/old', '1'),
        dir('f/'),
        file('f/old', '1'),
      ]),
    ),
    lease,
    {},
  );
  const top = await store.unpack(
    from(
      await tar([
        file('.wh.gone', ''),
        file('kept', '2'),
        file('.wh.kept', ''),
        file('d/.wh..wh..opq', ''),
        file('d/new', '2'),
        file('e/new', '2'),
        file('.wh.e', ''),
        file('.wh.f', ''),
        file('f/new', '2'),
        file('g/h/implied', '2'),
        file('.wh..wh.aufs', 'x'),
      ]),
    ),
    lease,
    { parent: base.chainId },
  );
  await store.createSnapshot('s', { parent: top.chainId, owner: 'test' });
  const merged = await store.mount('s');
  assert.deepEqual(readdirSync(merged).sort(), ['d', 'e', 'f', 'g', 'kept']);
  assert.equal(readFileSync(join(merged, 'kept'), 'utf8'), '2');
  for (const name of ['d', 'e', 'f']) assert.deepEqual(readdirSync(join(merged, name)), ['new']);
  assert.equal(lstatSync(join(merged, 'd')).mode & 0o777, 0o711);
  assert.equal(lstatSync(join(merged, 'd')).uid, 7);
  await store.unmount('s');
});

test('an opaque root hides all that is below', options, async (t) => {
  const { store, lease } = await fresh(t);
  const base = await store.unpack(from(await tar([file('a', '1'), dir('d/'), file('d/a', '1')])), lease, {});
  const top = await store.unpack(from(await tar([file('.wh..wh..opq', ''), dir('d/'), file('d/b', '2')])), lease, {
    parent: base.chainId,
  });
  await store.createSnapshot('s', { parent: top.chainId, owner: 'test' });
  const merged = await store.mount('s');
  assert.deepEqual(readdirSync(merged), ['d']);
  assert.deepEqual(readdirSync(join(merged, 'd')), ['b']);
});

test('a whiteout of the root or of nothing is refused', options, async (t) => {
  const { store, lease } = await fresh(t);
  for (const name of ['.wh..', '.wh...', 'd/.wh..', '.wh.', '.wh.d/x'])
    await assert.rejects(store.unpack(from(await tar([file(name, '')])), lease, {}), (error) =>
      isKind(error, 'invalid'),
    );
});

test('a layer cannot carry attributes that overlayfs obeys', options, async (t) => {
  const { dir: root, store, lease } = await fresh(t);
  const xattrs = new Map([
    ['trusted.overlay.redirect', Buffer.from('/etc')],
    ['trusted.overlay.metacopy', Buffer.from('')],
    ['user.kept', Buffer.from('1')],
  ]);
  const { chainId } = await store.unpack(from(await tar([dir('d/', { xattrs })])), lease, {});
  const path = join(root, 'layers', chainId.slice(7), 'd');
  assert.equal(getXattr(path, 'trusted.overlay.redirect'), undefined);
  assert.equal(getXattr(path, 'user.kept')?.toString(), '1');
});

const outside: [string, TarItem[]][] = [
  ['..', [file('../outside', 'x')]],
  ['.. behind a directory', [file('a/../../outside', 'x')]],
  ['an absolute path', [file('/outside', 'x')]],
  ['a symbolic link up', [link('up', '../..'), file('up/outside', 'x')]],
  ['an absolute symbolic link', [link('abs', 'ROOT'), file('abs/outside', 'x')]],
  ['a chain of symbolic links', [link('a', '..'), link('b', 'a/..'), file('b/outside', 'x')]],
  ['a symbolic link as the file', [link('outside', 'ROOT/outside'), file('outside', 'x')]],
  ['a symbolic link as a directory', [link('dir', 'ROOT'), dir('dir/'), file('dir/outside', 'x')]],
  ['a hard link to a file outside', [link('mine', '../victim', 'hardlink'), file('mine', 'x')]],
  [
    'a hard link through a symbolic link',
    [link('up', 'ROOT'), link('mine', 'up/victim', 'hardlink'), file('mine', 'x')],
  ],
  ['a hard link to a symbolic link', [link('l', 'ROOT/victim'), link('m', 'l', 'hardlink'), file('m', 'x')]],
  ['a directory replaced by a symbolic link', [dir('d/'), file('d/a', '1'), link('d', 'ROOT'), file('d/outside', 'x')]],
  ['an opaque mark through a symbolic link', [link('up', 'ROOT'), file('up/.wh..wh..opq', '')]],
  ['a whiteout through a symbolic link', [link('up', 'ROOT'), file('up/.wh.victim', '')]],
];

for (const [what, items] of outside)
  test(`a layer cannot write outside its place by ${what}`, options, async (t) => {
    const { dir: root, store, lease } = await fresh(t);
    writeFileSync(join(root, 'victim'), 'safe');
    const named = items.map((item) => ({
      ...item,
      header: { ...item.header, linkName: item.header.linkName?.replace('ROOT', root) },
    }));
    await store
      .unpack(from(await tar(named)), lease, {})
      .catch((error) => assert.ok(isKind(error, 'invalid'), String(error)));
    assert.equal(readFileSync(join(root, 'victim'), 'utf8'), 'safe');
    assert.equal(lstatSync(join(root, 'victim')).nlink, 1);
    assert.equal(getXattr(root, 'trusted.overlay.opaque'), undefined);
    assert.deepEqual(
      readdirSync(root).filter((name) => /outside/.test(name)),
      [],
    );
    assert.equal(existsSync('/outside'), false);
    for (const name of ['passing', 'snapshots']) assert.deepEqual(readdirSync(join(root, 'layers', name)), []);
  });

test('a symbolic link of a lower layer does not redirect an upper one', options, async (t) => {
  const { dir: root, store, lease } = await fresh(t);
  const base = await store.unpack(from(await tar([link('up', root)])), lease, {});
  await store.unpack(from(await tar([file('up/outside', 'x')])), lease, { parent: base.chainId });
  assert.equal(existsSync(join(root, 'outside')), false);
});

test('the last of several entries with one name wins, and nothing is written through the first', options, async (t) => {
  const { dir: root, store, lease } = await fresh(t);
  const { chainId, sizeBytes } = await store.unpack(
    from(
      await tar([
        file('f', 'one'),
        link('hard', 'f', 'hardlink'),
        file('f', 'two!'),
        { header: { name: 'dev', type: 'char', deviceMajor: 1, deviceMinor: 3 } },
        file('dev', 'file'),
        { header: { name: 'fifo', type: 'fifo' } },
        file('fifo', 'file'),
        dir('d/'),
        file('d/x', '1'),
        file('d', 'now a file'),
        link('self', 'f'),
        link('hard', './hard', 'hardlink'),
      ]),
    ),
    lease,
    {},
  );
  const at = (name: string) => join(root, 'layers', chainId.slice(7), name);
  assert.equal(readFileSync(at('f'), 'utf8'), 'two!');
  assert.equal(readFileSync(at('hard'), 'utf8'), 'one');
  assert.equal(readFileSync(at('dev'), 'utf8'), 'file');
  assert.equal(readFileSync(at('fifo'), 'utf8'), 'file');
  assert.equal(readFileSync(at('d'), 'utf8'), 'now a file');
  assert.equal(readlinkSync(at('self')), 'f');
  assert.ok(sizeBytes > 0);
});

test('more layers than fit into a page of mount options are mounted', options, async (t) => {
  const { store, lease } = await fresh(t);
  let parent: string | undefined;
  for (let index = 0; index < 130; index++)
    parent = (await store.unpack(from(await tar([file(`f${index}`, String(index))])), lease, { parent })).chainId;
  await store.createSnapshot('s', { parent: parent!, owner: 'test' });
  assert.equal(readdirSync(await store.mount('s')).length, 130);
  await store.removeSnapshot('s');
});

test('changes are shown as docker diff shows them, and their archive gives them again', options, async (t) => {
  const { dir: root, store, lease } = await fresh(t);
  const base = await store.unpack(
    from(
      await tar([
        dir('a/'),
        file('a/1', '1'),
        file('a/2', '2'),
        dir('b/'),
        file('b/1', '1'),
        dir('c/'),
        file('c/1', '1'),
        file('top', '1'),
      ]),
    ),
    lease,
    {},
  );
  await store.createSnapshot('s', { parent: base.chainId, owner: 'test' });
  const merged = await store.mount('s');
  writeFileSync(join(merged, 'a/1'), 'changed');
  unlinkSync(join(merged, 'a/2'));
  rmSync(join(merged, 'b'), { recursive: true });
  rmSync(join(merged, 'c'), { recursive: true });
  mkdirSync(join(merged, 'c'));
  writeFileSync(join(merged, 'c/2'), 'new');
  linkSync(join(merged, 'c/2'), join(merged, 'c/3'));
  symlinkSync('x', join(merged, 'new'));
  assert.deepEqual(
    (await store.changes('s')).map(({ kind, path }) => `${kind} ${path}`),
    ['C /a', 'C /a/1', 'D /a/2', 'D /b', 'C /c', 'D /c/1', 'A /c/2', 'A /c/3', 'A /new'],
  );
  const archive = Buffer.concat(await Array.fromAsync(store.diffTar('s')));
  const names: string[] = [];
  for await (const { header } of readTar(Readable.from([archive]))) names.push(`${header.type} ${header.name}`);
  assert.deepEqual(names, [
    'dir a/',
    'file a/1',
    'file a/.wh.2',
    'file .wh.b',
    'dir c/',
    'file c/.wh..wh..opq',
    'file c/2',
    'hardlink c/3',
    'symlink new',
  ]);
  assert.deepEqual(Buffer.concat(await Array.fromAsync(store.diffTar('s'))), archive);
  const layer = await store.unpack(from(archive), lease, { parent: base.chainId });
  await store.createSnapshot('again', { parent: layer.chainId, owner: 'test' });
  const other = await store.mount('again');
  assert.deepEqual(readdirSync(join(other, 'c')), ['2', '3']);
  assert.deepEqual(readdirSync(join(other, 'a')), ['1']);
  assert.equal(existsSync(join(other, 'b')), false);
  assert.equal(lstatSync(join(other, 'c/2')).nlink, 2);
  assert.equal(await store.usage('s'), layer.sizeBytes);
  const promoted = await store.promote('s', layer.diffId, lease);
  assert.deepEqual(promoted, layer);
  assert.deepEqual(
    store.snapshots().map(({ id }) => id),
    ['again'],
  );
  assert.equal(existsSync(join(root, 'layers/snapshots/s')), false);
});

test('a promoted snapshot is a layer without unpacking', options, async (t) => {
  const { store, lease } = await fresh(t);
  await store.createSnapshot('s', { owner: 'test' });
  writeFileSync(join(await store.mount('s'), 'f'), 'content');
  const archive = Buffer.concat(await Array.fromAsync(store.diffTar('s')));
  const layer = await store.promote('s', diffIdOf(archive), lease);
  assert.equal(layer.sizeBytes, 7);
  await store.createSnapshot('t', { parent: layer.chainId, owner: 'test' });
  assert.equal(readFileSync(join(await store.mount('t'), 'f'), 'utf8'), 'content');
});

test('snapshots with the same changes become one layer, whoever comes first', options, async (t) => {
  const { dir: root, store, lease } = await fresh(t);
  const ids = ['s', 't', 'u'];
  for (const id of ids) {
    await store.createSnapshot(id, { owner: 'test' });
    const path = join(await store.mount(id), 'f');
    writeFileSync(path, 'content');
    utimesSync(path, 1, 1);
    utimesSync(join(path, '..'), 1, 1);
  }
  const archive = Buffer.concat(await Array.fromAsync(store.diffTar('s')));
  const made = await Promise.all([
    ...ids.map((id) => store.promote(id, diffIdOf(archive), lease)),
    store.unpack(from(archive), lease, {}),
  ]);
  assert.deepEqual(new Set(made.map(({ chainId }) => chainId)), new Set([diffIdOf(archive)]));
  assert.equal(store.list().length, 1);
  assert.deepEqual(readdirSync(join(root, 'layers/snapshots')), []);
});

test('what something stands on is not removed', options, async (t) => {
  const { dir: root, store, lease } = await fresh(t);
  const base = await store.unpack(from(await tar([file('a', '1')])), lease, {});
  const top = await store.unpack(from(await tar([file('b', '1')])), lease, { parent: base.chainId });
  await store.createSnapshot('s', { parent: top.chainId, owner: 'test' });
  await assert.rejects(store.remove(base.chainId), (error) => isKind(error, 'conflict'));
  await assert.rejects(store.remove(top.chainId), (error) => isKind(error, 'conflict'));
  await store.mount('s');
  await store.removeSnapshot('s');
  await store.removeSnapshot('s');
  await assert.rejects(store.remove(top.chainId), (error) => isKind(error, 'conflict'), 'the lease holds it');
  lease.end();
  await store.remove(top.chainId);
  await store.remove(base.chainId);
  assert.deepEqual(readdirSync(join(root, 'layers')).sort(), ['empty', 'passing', 'snapshots']);
});

test('after a crash mounts, half-made layers and forgotten snapshots go', options, async (t) => {
  const { dir: root, store, open } = await fresh(t);
  for (const id of ['kept', 'idle']) {
    await store.createSnapshot(id, { owner: 'test' });
    await store.mount(id);
  }
  mkdirSync(join(root, 'layers/passing/half'));
  mkdirSync(join(root, 'layers/snapshots/unknown'));
  mkdirSync(join(root, 'layers', 'f'.repeat(64)));
  const again = await open();
  await again.reconcile((id) => id === 'kept');
  assert.equal(again.mounted('kept'), true);
  assert.equal(again.mounted('idle'), false);
  assert.deepEqual(readdirSync(join(root, 'run/snapshots')), ['kept']);
  assert.deepEqual(readdirSync(join(root, 'layers/passing')), []);
  assert.deepEqual(readdirSync(join(root, 'layers/snapshots')).sort(), ['idle', 'kept']);
  assert.deepEqual(readdirSync(join(root, 'layers')).sort(), ['empty', 'passing', 'snapshots']);
  assert.equal(await again.mount('kept'), await store.mount('kept'));
});
