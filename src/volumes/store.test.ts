import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { Filters, silentLogger } from '../common/index.ts';
import { type Database, openDatabase } from '../state/index.ts';
import { MS, mount, mounts, unmount } from '../sys/index.ts';
import { openVolumes, type VolumeStore } from './index.ts';

const asRoot = { skip: process.getuid?.() === 0 ? false : 'needs root' };
const container = (digit: string): string => digit.repeat(64);

let root: string;
let db: Database;
let store: VolumeStore;
let events: string[];

/** A store over the same files, as a new daemon opens it. */
function reopen(): VolumeStore {
  events = [];
  return openVolumes({
    db,
    dataRoot: root,
    pluginDirs: [join(root, 'plugins')],
    emit: (action, name, attributes) =>
      events.push(`${action} ${name} ${attributes.container?.slice(0, 1) ?? attributes.driver ?? ''}`),
    log: silentLogger,
  });
}

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'gt-volumes-'));
  db = openDatabase(':memory:');
  store = reopen();
});
afterEach(async () => {
  for (const { target } of (await mounts()).reverse()) if (target.startsWith(`${root}/`)) unmount(target);
  db.close();
  rmSync(root, { recursive: true, force: true });
});

const names = async (filters: Record<string, string[]> = {}): Promise<string[]> =>
  (await store.list(new Filters(Object.entries(filters)))).Volumes.map(({ Name }) => Name);

describe('local volumes', asRoot, () => {
  it('have a directory of their own and are found again by a later daemon', async () => {
    const { Mountpoint } = await store.create({
      Name: 'data',
      Driver: undefined,
      DriverOpts: undefined,
      Labels: { a: 'b' },
    });
    assert.equal(Mountpoint, join(root, 'volumes/data/_data'));
    assert.equal(statSync(Mountpoint).mode & 0o777, 0o755);
    assert.equal(statSync(join(root, 'volumes/data')).mode & 0o777, 0o701);
    store = reopen();
    assert.deepEqual((await store.inspect('data')).Labels, { a: 'b' });
  });
  it('are anonymous without a name', async () => {
    const { Name, Labels } = await store.create({ Name: '', Driver: '', DriverOpts: undefined, Labels: undefined });
    assert.match(Name, /^[0-9a-f]{64}$/);
    assert.deepEqual(Labels, { 'com.docker.volume.anonymous': '' });
    assert.equal(store.isAnonymous(Name), true);
  });
  it('are made once when two ask for the same name at the same moment', async () => {
    await Promise.all(
      [1, 2, 3].map(() => store.create({ Name: 'same', Driver: 'local', DriverOpts: undefined, Labels: undefined })),
    );
    assert.deepEqual(events, ['create same local']);
  });

  const bad: [name: string, options: Record<string, string> | undefined, message: string | RegExp][] = [
    ['x', undefined, 'create x: volume name is too short, names should be at least two alphanumeric characters'],
    ['a/b', undefined, /^create a\/b: "a\/b" includes invalid characters for a local volume name/],
    ['..', undefined, /includes invalid characters/],
    ['.hidden', undefined, /includes invalid characters/],
    ['ok', { foo: 'bar' }, 'create ok: invalid option: "foo"'],
    ['ok', { type: 'none' }, 'create ok: missing required option: "device"'],
    ['ok', { device: '/x' }, 'create ok: missing required option: "type"'],
    ['ok', { size: '5m' }, 'create ok: quota size requested but no quota support'],
  ];
  for (const [name, options, message] of bad)
    it(`refuse ${name} with ${JSON.stringify(options ?? {})}, and leave nothing`, async () => {
      await assert.rejects(store.create({ Name: name, Driver: undefined, DriverOpts: options, Labels: undefined }), {
        message,
      });
      assert.deepEqual(await names(), []);
    });
});

describe('removal', asRoot, () => {
  it('is refused while a container holds the volume, and names it', async () => {
    await store.create({ Name: 'vv', Driver: '', DriverOpts: undefined, Labels: undefined });
    store.hold('vv', container('a'));
    await assert.rejects(store.remove('vv', { force: true }), {
      kind: 'conflict',
      message: `remove vv: volume is in use - [${container('a')}]`,
    });
    store.release('vv', container('a'));
    await store.remove('vv', {});
    assert.equal(existsSync(join(root, 'volumes/vv')), false);
  });
  it('of an unknown volume is an error unless forced', async () => {
    await assert.rejects(store.remove('nope', {}), { kind: 'not-found', message: 'get nope: no such volume' });
    await store.remove('nope', { force: true });
  });
  it('follows no symbolic link', async () => {
    const { Mountpoint } = await store.create({ Name: 'vv', Driver: '', DriverOpts: undefined, Labels: undefined });
    mkdirSync(join(root, 'precious'));
    writeFileSync(join(root, 'precious/file'), 'kept');
    symlinkSync(join(root, 'precious'), join(Mountpoint, 'link'));
    await store.remove('vv', {});
    assert.equal(readFileSync(join(root, 'precious/file'), 'utf8'), 'kept');
  });
  it('does not cross into a mount', async () => {
    const { Mountpoint } = await store.create({ Name: 'vv', Driver: '', DriverOpts: undefined, Labels: undefined });
    mkdirSync(join(root, 'precious'));
    writeFileSync(join(root, 'precious/file'), 'kept');
    mkdirSync(join(Mountpoint, 'sub'));
    mount(join(root, 'precious'), join(Mountpoint, 'sub'), null, MS.BIND);
    await assert.rejects(store.remove('vv', {}), { kind: 'conflict' });
    assert.equal(readFileSync(join(root, 'precious/file'), 'utf8'), 'kept');
    assert.deepEqual(await names(), ['vv']);
  });
  it('that a crash broke off is gone on with', async () => {
    mkdirSync(join(root, 'volumes/.removing-1/_data/deep'), { recursive: true });
    await store.reconcile(() => true);
    assert.deepEqual(readdirSync(join(root, 'volumes')), []);
  });
});

describe('prune', asRoot, () => {
  it('takes anonymous volumes only, all with the filter, and none that is held', async () => {
    const { Name: anonymous, Mountpoint } = await store.create({
      Name: '',
      Driver: '',
      DriverOpts: undefined,
      Labels: undefined,
    });
    writeFileSync(join(Mountpoint, 'f'), 'x'.repeat(1000));
    for (const name of ['named', 'held', 'labelled'])
      await store.create({
        Name: name,
        Driver: '',
        DriverOpts: undefined,
        Labels: name === 'labelled' ? { keep: '1' } : undefined,
      });
    store.hold('held', container('a'));
    assert.deepEqual(await store.prune(new Filters()), { VolumesDeleted: [anonymous], SpaceReclaimed: 1000 });
    const all = new Filters([
      ['all', ['true']],
      ['label!', ['keep']],
    ]);
    assert.deepEqual((await store.prune(all)).VolumesDeleted, ['named']);
    assert.deepEqual(await names(), ['held', 'labelled']);
    await assert.rejects(store.prune(new Filters([['foo', ['x']]])), { message: "invalid filter 'foo'" });
  });
});

describe('lists', asRoot, () => {
  it('filter by use, driver, label and name', async () => {
    for (const name of ['alpha', 'beta'])
      await store.create({ Name: name, Driver: '', DriverOpts: undefined, Labels: { of: name } });
    store.hold('alpha', container('a'));
    assert.deepEqual(await names({ dangling: ['true'] }), ['beta']);
    assert.deepEqual(await names({ dangling: ['false'] }), ['alpha']);
    assert.deepEqual(await names({ label: ['of=beta'] }), ['beta']);
    assert.deepEqual(await names({ name: ['lph'] }), ['alpha']);
    assert.deepEqual(await names({ name: ['^b.*a$'] }), ['beta']);
    assert.deepEqual(await names({ driver: ['other'] }), []);
    await assert.rejects(names({ dangling: ['maybe'] }), { message: "invalid filter 'dangling=[maybe]'" });
  });
});

describe('mounts', asRoot, () => {
  it('of a volume with options stand from the first use to the last', async () => {
    await store.create({
      Name: 'tmp',
      Driver: 'local',
      DriverOpts: { type: 'tmpfs', device: 'tmpfs', o: 'size=1m,mode=0700,nosuid' },
      Labels: undefined,
    });
    const about = { destination: '/d', readWrite: true, propagation: '' };
    const path = await store.mount('tmp', { id: container('a'), destination: '/d' }, about);
    await store.mount('tmp', { id: container('b'), destination: '/d' }, about);
    writeFileSync(join(path, 'f'), '1');
    const found = (await mounts()).filter(({ target }) => target === path);
    assert.equal(found.length, 1);
    assert.match(found[0]?.options ?? '', /nosuid/);
    await store.unmount('tmp', { id: container('a'), destination: '/d' });
    assert.equal(readFileSync(join(path, 'f'), 'utf8'), '1');
    await store.unmount('tmp', { id: container('b'), destination: '/d' });
    assert.equal(existsSync(join(path, 'f')), false);
    assert.deepEqual(events, ['create tmp local', 'mount tmp a', 'mount tmp b', 'unmount tmp a', 'unmount tmp b']);
  });
  it('may bind a directory of the machine, read-only', async () => {
    mkdirSync(join(root, 'host'));
    writeFileSync(join(root, 'host/f'), 'there');
    await store.create({
      Name: 'bound',
      Driver: 'local',
      DriverOpts: { type: 'none', device: join(root, 'host'), o: 'bind,ro' },
      Labels: undefined,
    });
    const path = await store.mount('bound', { id: container('a'), destination: '/d' });
    assert.equal(readFileSync(join(path, 'f'), 'utf8'), 'there');
    assert.throws(() => writeFileSync(join(path, 'g'), ''), { code: 'EROFS' });
    await store.unmount('bound', { id: container('a'), destination: '/d' });
    await store.remove('bound', {});
    assert.equal(readFileSync(join(root, 'host/f'), 'utf8'), 'there');
  });
  it('that fail say so in the words of the reference', async () => {
    await store.create({
      Name: 'bad',
      Driver: 'local',
      DriverOpts: { type: 'none', device: '/nonesuch', o: 'bind' },
      Labels: undefined,
    });
    const place = join(root, 'volumes/bad/_data');
    await assert.rejects(store.mount('bad', { id: container('a'), destination: '/d' }), {
      message: `error while mounting volume '${place}': failed to mount local volume: mount /nonesuch:${place}, flags: 0x1000: no such file or directory`,
    });
  });
  it('are known to a later daemon, so that the last user still decides', async () => {
    await store.create({
      Name: 'tmp',
      Driver: 'local',
      DriverOpts: { type: 'tmpfs', device: 'tmpfs' },
      Labels: undefined,
    });
    const path = await store.mount('tmp', { id: container('a'), destination: '/d' });
    await store.mount('tmp', { id: container('b'), destination: '/d' });
    store = reopen();
    await store.reconcile((id) => id === container('b'));
    assert.equal((await mounts()).filter(({ target }) => target === path).length, 1);
    await store.unmount('tmp', { id: container('b'), destination: '/d' });
    assert.equal((await mounts()).filter(({ target }) => target === path).length, 0);
  });
});

describe('holds', asRoot, () => {
  it('of containers that are no more are dropped at a start', async () => {
    await store.create({ Name: 'vv', Driver: '', DriverOpts: undefined, Labels: undefined });
    store.hold('vv', container('a'));
    store.hold('vv', container('b'));
    store = reopen();
    await store.reconcile((id) => id === container('b'));
    assert.deepEqual(store.holders('vv'), [container('b')]);
    assert.equal((await store.usage())[0]?.UsageData?.RefCount, 1);
  });
});

describe('filling', asRoot, () => {
  const source = (): string => {
    const from = join(root, 'image');
    mkdirSync(from, { mode: 0o750 });
    writeFileSync(join(from, 'f'), 'content', { mode: 0o640 });
    return from;
  };
  it('gives a new volume content, owner and mode, once, also for two at the same moment', async () => {
    const from = source();
    const { Mountpoint } = await store.create({ Name: 'vv', Driver: '', DriverOpts: undefined, Labels: undefined });
    const populate = () => store.populate('vv', Mountpoint, async () => from);
    await Promise.all([populate(), populate()]);
    assert.equal(readFileSync(join(Mountpoint, 'f'), 'utf8'), 'content');
    assert.equal(statSync(Mountpoint).mode & 0o777, 0o750);
    rmSync(join(Mountpoint, 'f'));
    writeFileSync(join(Mountpoint, 'other'), '');
    await populate();
    assert.equal(existsSync(join(Mountpoint, 'f')), false);
  });
  it('leaves a volume alone that has something', async () => {
    const from = source();
    const { Mountpoint } = await store.create({ Name: 'vv', Driver: '', DriverOpts: undefined, Labels: undefined });
    writeFileSync(join(Mountpoint, 'own'), '');
    await store.populate('vv', Mountpoint, async () => from);
    assert.deepEqual(readdirSync(Mountpoint), ['own']);
  });
  it('is done again after a crash in the middle', async () => {
    const from = source();
    const { Mountpoint } = await store.create({ Name: 'vv', Driver: '', DriverOpts: undefined, Labels: undefined });
    await assert.rejects(store.populate('vv', Mountpoint, async () => join(root, 'nowhere')));
    writeFileSync(join(Mountpoint, 'f'), 'cont');
    store = reopen();
    await store.populate('vv', Mountpoint, async () => from);
    assert.equal(readFileSync(join(Mountpoint, 'f'), 'utf8'), 'content');
  });
});

/** A driver that keeps its volumes below the test's root. */
async function startPlugin(calls: string[]): Promise<Server> {
  mkdirSync(join(root, 'plugins'));
  const known = new Set<string>(['foreign']);
  const answers: Record<string, (body: { Name: string; ID: string }) => unknown> = {
    '/Plugin.Activate': () => ({ Implements: ['VolumeDriver'] }),
    '/VolumeDriver.Capabilities': () => ({ Capabilities: { Scope: 'global' } }),
    '/VolumeDriver.Create': ({ Name }) => {
      if (Name === 'refused') return { Err: 'no space' };
      known.add(Name);
      return { Err: '' };
    },
    '/VolumeDriver.Remove': ({ Name }) => {
      known.delete(Name);
      return {};
    },
    '/VolumeDriver.Mount': ({ Name }) => ({ Mountpoint: `/plugged/${Name}` }),
    '/VolumeDriver.Unmount': () => ({}),
    '/VolumeDriver.Get': ({ Name }) =>
      known.has(Name)
        ? { Volume: { Name, Mountpoint: `/plugged/${Name}`, Status: { disk: 'fine' } } }
        : { Err: 'not found' },
    '/VolumeDriver.List': () => ({ Volumes: [...known].map((Name) => ({ Name, Mountpoint: '' })) }),
  };
  const server = createServer(async (request, response) => {
    let text = '';
    for await (const chunk of request) text += String(chunk);
    const body = JSON.parse(text || '{}') as { Name: string; ID: string };
    const method = request.url ?? '';
    if (!/Activate|Capabilities|List|Get/.test(method))
      calls.push(`${method.slice(14)} ${body.Name}${body.ID === undefined ? '' : ` ${body.ID}`}`);
    response.end(JSON.stringify(answers[method]?.(body) ?? { Err: 'unknown call' }));
  });
  await new Promise<void>((resolve) => server.listen(join(root, 'plugins/mydriver.sock'), resolve));
  return server;
}

describe('plugins', asRoot, () => {
  it('make, mount, unmount and remove volumes over the plugin protocol', async () => {
    const calls: string[] = [];
    const server = await startPlugin(calls);
    try {
      await store.create({ Name: 'pv', Driver: 'mydriver', DriverOpts: { a: 'b' }, Labels: undefined });
      const inspected = await store.inspect('pv');
      assert.deepEqual(
        [inspected.Driver, inspected.Mountpoint, inspected.Scope, inspected.Status],
        ['mydriver', '/plugged/pv', 'global', { disk: 'fine' }],
      );
      assert.equal(await store.mount('pv', { id: container('a'), destination: '/d' }), '/plugged/pv');
      await store.unmount('pv', { id: container('a'), destination: '/d' });
      assert.deepEqual(await names(), ['foreign', 'pv']);
      assert.equal((await store.inspect('foreign')).Driver, 'mydriver');
      await store.remove('pv', {});
      const id = createHash('sha256')
        .update(`${container('a')}:/d`)
        .digest('hex');
      assert.deepEqual(calls, ['Create pv', `Mount pv ${id}`, `Unmount pv ${id}`, 'Remove pv']);
    } finally {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    }
  });
  it('have their errors told, and unknown ones are named', async () => {
    const server = await startPlugin([]);
    try {
      await assert.rejects(
        store.create({ Name: 'refused', Driver: 'mydriver', DriverOpts: undefined, Labels: undefined }),
        { message: 'create refused: VolumeDriver.Create: no space' },
      );
      await assert.rejects(store.create({ Name: 'vv', Driver: 'nope', DriverOpts: undefined, Labels: undefined }), {
        kind: 'not-found',
        message: 'create vv: error looking up volume plugin nope: plugin "nope" not found',
      });
      await store.create({ Name: 'vv', Driver: 'local', DriverOpts: undefined, Labels: undefined });
      await assert.rejects(store.create({ Name: 'vv', Driver: 'mydriver', DriverOpts: undefined, Labels: undefined }), {
        kind: 'conflict',
        message: "create vv: driver 'local' already has volume 'vv': volume name must be unique",
      });
    } finally {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    }
  });
});
