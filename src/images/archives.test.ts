import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { craftImage, dockerArchive, tarOf } from '../../test/support/crafted-image.ts';
import { sha256 } from '../../test/support/fake-registry.ts';
import { openTestImages, type TestImages } from '../../test/support/image-store.ts';
import { readTar, textOf } from '../archive/index.ts';
import { Filters } from '../common/index.ts';

const twoLayers = async () =>
  craftImage([await tarOf([['etc/one', 'one']]), await tarOf([['two', 'two'.repeat(50_000)]])]);

const load = (store: TestImages, archive: Buffer, options: { quiet?: boolean; platform?: string } = {}) =>
  store.images.load(Readable.from([archive]), { progress: store.progress, signal: store.signal, ...options });

async function collectBytes(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

async function filesOf(archive: Buffer): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>();
  for await (const { header, body } of readTar(Readable.from([archive]))) {
    const chunks: Buffer[] = [];
    for await (const chunk of body) chunks.push(chunk);
    if (header.type === 'file') files.set(textOf(header.name), Buffer.concat(chunks));
  }
  return files;
}

const external = (program: string) => (bytes: Buffer) =>
  execFileSync(program, ['-c'], { input: bytes, maxBuffer: 1 << 28 });

test('archives old and new, plain and compressed by any means, give the same image', async (t) => {
  const store = await openTestImages(t);
  const image = await twoLayers();
  const archives: Record<string, Buffer> = {
    new: await dockerArchive(image, ['a:new']),
    old: await dockerArchive(image, ['a:old'], { old: true }),
    gzip: gzipSync(await dockerArchive(image, ['a:gzip'])),
    zstd: zstdCompressSync(await dockerArchive(image, ['a:zstd'])),
    bzip2: external('bzip2')(await dockerArchive(image, ['a:bzip2'])),
    xz: external('xz')(await dockerArchive(image, ['a:xz'])),
    layersInGzip: await dockerArchive(image, ['a:layersInGzip'], { compress: gzipSync }),
    layersInXz: await dockerArchive(image, ['a:layersInXz'], { compress: external('xz') }),
  };
  for (const [tag, archive] of Object.entries(archives)) {
    await load(store, archive);
    assert.equal(store.images.resolve(`a:${tag}`).id, image.id, tag);
    assert.equal(store.lines().at(-1), `Loaded image: a:${tag}`);
  }
  assert.equal(store.layers.list().length, 2);
  // One configuration, one manifest, two layers: what the other archives brought is gone.
  assert.equal((await Array.fromAsync(store.content.list())).length, 4);
});

test('a configuration that names no system or machine is loaded as it is', async (t) => {
  const store = await openTestImages(t);
  const layer = await tarOf([['one', 'one']]);
  const config = JSON.stringify({ rootfs: { type: 'layers', diff_ids: [sha256(layer)] } });
  const manifest = JSON.stringify([{ Config: 'c.json', RepoTags: ['a:bare'], Layers: ['layer.tar'] }]);
  await load(
    store,
    await tarOf([
      ['c.json', config],
      ['layer.tar', layer],
      ['manifest.json', manifest],
    ]),
  );
  assert.equal(store.images.resolve('a:bare').id, sha256(Buffer.from(config)));
});

test('layers in a compression that no manifest knows are kept plain', async (t) => {
  const store = await openTestImages(t);
  const image = await twoLayers();
  await load(store, await dockerArchive(image, ['a:1'], { compress: external('bzip2') }));
  const manifest = JSON.parse((await store.content.read(store.images.resolve('a:1').manifestDigest)).toString());
  assert.deepEqual(
    manifest.layers.map(({ digest }: { digest: string }) => digest),
    image.layers.map((layer) => sha256(layer)),
  );
});

test('loading tells of layers with bars, or with quiet not at all, and names or the id at the end', async (t) => {
  const store = await openTestImages(t);
  const image = await twoLayers();
  await load(store, await dockerArchive(image, null), { quiet: true });
  assert.deepEqual([...store.messages], [{ stream: `Loaded image ID: ${image.id}\n` }]);
  assert.deepEqual(store.events, [{ action: 'load', id: image.id, attributes: { made: 'by test', name: image.id } }]);
  store.messages.length = 0;
  const other = craftImage([await tarOf([['other', 'x']])]);
  await load(store, await dockerArchive(other, ['b', 'c:2']));
  assert.ok(
    store.messages.some(
      ({ status, progressDetail }) => status === 'Loading layer' && progressDetail?.current === progressDetail?.total,
    ),
  );
  assert.deepEqual(store.lines().slice(-2), ['Loaded image: b:latest', 'Loaded image: c:2']);
});

test('layers are unpacked while the archive still comes, and go with it if it ends badly', async (t) => {
  const store = await openTestImages(t);
  const image = await twoLayers();
  const whole = await dockerArchive(image, ['a:1']);
  const passing = () => readdirSync(join(store.root, 'layers/passing'));
  const slow = async function* (end: Buffer) {
    // Without the manifest, which is the last that comes.
    yield whole.subarray(0, -4096);
    while (passing().length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
    yield end;
  };
  const sent = (end: Buffer) =>
    store.images.load(Readable.from(slow(end)), { progress: store.progress, signal: store.signal });
  await assert.rejects(sent(Buffer.alloc(1024)), { kind: 'invalid' });
  assert.deepEqual([passing(), store.layers.list(), await Array.fromAsync(store.content.list())], [[], [], []]);
  await sent(whole.subarray(-4096));
  assert.deepEqual(passing(), []);
  assert.equal(store.images.resolve('a:1').id, image.id);
  assert.equal(store.layers.list().length, 2);
});

test('a name that an archive brings moves from the image that had it', async (t) => {
  const store = await openTestImages(t);
  const [first, second] = [await twoLayers(), craftImage([await tarOf([['other', 'x']])])];
  await load(store, await dockerArchive(first, ['a:1']));
  await load(store, await dockerArchive(second, ['a:1']));
  assert.equal(store.images.resolve('a:1').id, second.id);
  assert.deepEqual(store.images.resolve(first.id).repoTags, []);
});

test('only the platform that is asked for is loaded', async (t) => {
  const store = await openTestImages(t);
  await assert.rejects(load(store, await dockerArchive(await twoLayers(), ['a:1']), { platform: 'linux/arm64' }), {
    message: 'no suitable image for platform linux/arm64 found in the archive',
  });
  assert.deepEqual(store.images.all(), []);
});

test('what is saved is an OCI layout and a docker-archive, and loads as it was', async (t) => {
  const store = await openTestImages(t);
  const image = await twoLayers();
  await load(store, await dockerArchive(image, ['a:1', 'host:5000/b:2'], { compress: gzipSync }));
  const archive = await collectBytes(store.images.save(['a:1', 'host:5000/b'], { signal: store.signal }));
  const files = await filesOf(archive);
  const json = (name: string) => JSON.parse(files.get(name)!.toString());
  for (const [name, bytes] of files)
    if (name.startsWith('blobs/sha256/')) assert.equal(sha256(bytes), `sha256:${name.slice(13)}`);
  assert.deepEqual(json('oci-layout'), { imageLayoutVersion: '1.0.0' });
  const [entry] = json('manifest.json');
  assert.equal(entry.Config, `blobs/sha256/${image.id.slice(7)}`);
  assert.deepEqual(entry.RepoTags, ['a:1', 'host:5000/b:2']);
  assert.ok(entry.Layers.every((path: string) => files.has(path)));
  assert.deepEqual(
    json('index.json').manifests.map(({ annotations }: { annotations: Record<string, string> }) => annotations),
    [
      { 'io.containerd.image.name': 'docker.io/library/a:1', 'org.opencontainers.image.ref.name': '1' },
      { 'io.containerd.image.name': 'host:5000/b:2', 'org.opencontainers.image.ref.name': '2' },
    ],
  );
  assert.deepEqual(Object.keys(json('repositories')), ['a', 'host:5000/b']);
  assert.deepEqual(
    store.events.filter(({ action }) => action === 'save').map(({ id }) => id),
    [image.id],
  );

  const other = await openTestImages(t);
  await load(other, archive);
  assert.deepEqual(other.images.resolve(image.id).repoTags, ['a:1', 'host:5000/b:2']);
  // Without its docker half it is an OCI layout archive.
  const layout = await tarOf([...files].filter(([name]) => name !== 'manifest.json' && name !== 'repositories'));
  const third = await openTestImages(t);
  await load(third, layout);
  assert.deepEqual(third.images.resolve(image.id).repoTags, ['a:1', 'host:5000/b:2']);
});

test('an id is saved without a name, and what is not here is refused before a byte is sent', async (t) => {
  const store = await openTestImages(t);
  const image = await twoLayers();
  await load(store, await dockerArchive(image, ['a:1']));
  const files = await filesOf(await collectBytes(store.images.save([image.id.slice(7, 19)], { signal: store.signal })));
  assert.equal(JSON.parse(files.get('manifest.json')!.toString())[0].RepoTags, null);
  assert.ok(!files.has('repositories'));
  assert.throws(() => store.images.save(['nosuch'], { signal: store.signal }), { message: 'No such image: nosuch' });
  assert.throws(() => store.images.save(['nosuch:x'], { signal: store.signal }), {
    message: 'reference does not exist',
  });
  assert.throws(() => store.images.save(['a:1'], { signal: store.signal, platform: 'linux/arm64' }), {
    message: 'no suitable export target found for platform linux/arm64',
  });
});

test('an import is an image of one layer with the changes that were asked for', async (t) => {
  const store = await openTestImages(t);
  const tar = await tarOf([['bin/sh', '#!']]);
  for (const [tag, archive] of Object.entries({
    plain: tar,
    gzip: gzipSync(tar),
    xz: external('xz')(tar),
    bzip2: external('bzip2')(tar),
  })) {
    const image = await store.images.importArchive(Readable.from([archive]), {
      repo: 'imported',
      tag,
      changes: ['CMD ["sh"]', 'ENV A=b'],
      source: '-',
      signal: store.signal,
    });
    assert.deepEqual(image.diffIds, [sha256(tar)], tag);
  }
  const inspected = await store.images.inspect('imported:xz');
  assert.deepEqual(inspected.Config, {
    Cmd: ['sh'],
    Entrypoint: null,
    Env: ['A=b'],
    Labels: null,
    OnBuild: null,
    User: '',
    Volumes: null,
    WorkingDir: '',
  });
  assert.equal(inspected.Comment, 'Imported from -');
  assert.deepEqual(
    (await store.images.history('imported:xz')).map(({ Comment, CreatedBy, Size }) => [Comment, CreatedBy, Size]),
    [['Imported from -', '', 2]],
  );
  const id = store.images.resolve('imported:xz').id;
  assert.deepEqual(
    store.events.slice(-2).map(({ action }) => action),
    ['tag', 'import'],
  );
  assert.ok(id.startsWith('sha256:'));
  const arm = await store.images.importArchive(Readable.from([tar]), {
    platform: 'linux/arm64',
    message: 'hello',
    source: '-',
    signal: store.signal,
  });
  assert.equal(arm.config.architecture, 'arm64');
  await assert.rejects(
    store.images.importArchive(Readable.from([tar]), { changes: ['RUN x'], source: '-', signal: store.signal }),
    /RUN is not a valid change command/,
  );
  await assert.rejects(
    store.images.importArchive(Readable.from([tar]), { repo: 'a', tag: 'b c', source: '-', signal: store.signal }),
    /invalid tag format/,
  );
});

test('a commit is the parent with one layer more, or none where nothing changed', async (t) => {
  const store = await openTestImages(t);
  await load(store, await dockerArchive(await twoLayers(), ['base:1']));
  const base = store.images.resolve('base:1');
  await store.layers.createSnapshot('box', { parent: base.chainId, owner: 'container' });
  const commit = (tag: string) =>
    store.images.commit({
      snapshotId: 'box',
      parentImageId: base.id,
      config: { Cmd: ['sh'] },
      repo: 'made',
      tag,
      author: 'me',
      comment: 'why',
      createdBy: 'sh',
      signal: store.signal,
    });
  const same = await commit('same');
  assert.deepEqual(same.diffIds, base.diffIds);
  const { writeFileSync } = await import('node:fs');
  writeFileSync(`${store.layers.paths('box').upper}/new`, 'new');
  store.events.length = 0;
  const changed = await commit('changed');
  assert.equal(changed.diffIds.length, 3);
  assert.equal(store.images.parentOf(changed.id), base.id);
  assert.deepEqual(
    store.events.map(({ action }) => action),
    ['create', 'tag'],
  );
  store.events.length = 0;
  const rootfs = { type: 'layers' as const, diff_ids: [] };
  await store.images.create({ config: { ...base.config, rootfs }, layers: [], tags: ['made:built'] });
  assert.deepEqual(
    store.events.map(({ action }) => action),
    ['create', 'tag'],
  );
  const [newest, , last] = await store.images.history('made:changed');
  assert.deepEqual([newest?.CreatedBy, newest?.Comment, newest?.Size], ['sh', 'why', 3]);
  assert.equal(newest?.Tags?.[0], 'made:changed');
  assert.equal(last?.Id, '<missing>');
  assert.equal((await store.images.inspect('made:changed')).Author, 'me');
  await store.layers.removeSnapshot('box');
});

test('the index of content names every image for other tools', async (t) => {
  const store = await openTestImages(t);
  await load(store, await dockerArchive(await twoLayers(), ['a:1', 'b:2']));
  const { readFileSync } = await import('node:fs');
  const index = JSON.parse(readFileSync(`${store.root}/content/index.json`, 'utf8'));
  assert.deepEqual(
    index.manifests.map(
      (entry: { annotations: Record<string, string> }) => entry.annotations['org.opencontainers.image.ref.name'],
    ),
    ['a:1', 'b:2'],
  );
  for (const { digest, size } of index.manifests) assert.equal(await store.content.size(digest), size);
  assert.equal((await store.images.list({ filters: new Filters() })).length, 1);
});

test('the same image recorded by several at once has the names of all', async (t) => {
  const store = await openTestImages(t);
  const image = await twoLayers();
  await Promise.all(['1', '2', '3'].map(async (tag) => load(store, await dockerArchive(image, [`a:${tag}`]))));
  assert.deepEqual(store.images.resolve(image.id).repoTags, ['a:1', 'a:2', 'a:3']);
});
