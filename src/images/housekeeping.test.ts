import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { craftImage, dockerArchive, publish, tarOf } from '../../test/support/crafted-image.ts';
import { FakeRegistry } from '../../test/support/fake-registry.ts';
import { openTestImages, type TestImages } from '../../test/support/image-store.ts';
import { Filters, shortId } from '../common/index.ts';
import type { GcPolicy } from './index.ts';

let made = 0;
/** An image of a shared layer and one of its own. */
async function put(store: TestImages, tags: string[], config: Record<string, unknown> = {}) {
  const shared = await tarOf([['shared', 's'.repeat(1000)]]);
  const own = await tarOf([['own', `${made++}`.padEnd(100, 'x')]]);
  const image = craftImage([shared, own], config);
  await store.images.load(Readable.from([await dockerArchive(image, tags)]), {
    progress: () => {},
    signal: store.signal,
  });
  return image;
}

const list = async (store: TestImages, filters: Record<string, string[]> = {}, all = false) =>
  (await store.images.list({ all, filters: new Filters(Object.entries(filters)) })).flatMap(({ RepoTags }) => RepoTags);

test('the last name takes the image with it, a name before it does not', async (t) => {
  const store = await openTestImages(t);
  const image = await put(store, ['a:1', 'a:2']);
  assert.deepEqual(await store.images.remove('a:1', {}), [{ Untagged: 'a:1' }]);
  const chains = store.layers.list().map(({ chainId }) => chainId);
  const records = await store.images.remove('a:2', {});
  assert.deepEqual(records.slice(0, 2), [{ Untagged: 'a:2' }, { Deleted: image.id }]);
  assert.deepEqual(
    records
      .slice(2)
      .map(({ Deleted }) => Deleted)
      .sort(),
    chains.sort(),
  );
  assert.deepEqual(
    store.events.map(({ action }) => action),
    ['load', 'untag', 'untag', 'delete'],
  );
  assert.deepEqual(await Array.fromAsync(store.content.list()), []);
});

test('layers that another image stands on stay', async (t) => {
  const store = await openTestImages(t);
  await put(store, ['a:1']);
  await put(store, ['b:1']);
  const records = await store.images.remove('a:1', {});
  assert.equal(records.length, 3);
  assert.equal(store.layers.list().length, 2);
  assert.equal(store.images.resolve('b:1').diffIds.length, 2);
});

test("conflicts are in Docker's words", async (t) => {
  const store = await openTestImages(t);
  const image = await put(store, ['a:1', 'b:1']);
  const short = shortId(image.id);
  const rejects = (ref: string, force: boolean, message: string) =>
    assert.rejects(store.images.remove(ref, { force }), { kind: 'conflict', message });
  await rejects(
    short,
    false,
    `conflict: unable to delete ${short} (must be forced) - image is referenced in multiple repositories`,
  );
  store.containers.push({ imageId: image.id, id: 'c'.repeat(64), name: 'c', running: false });
  await store.images.remove('b:1', {});
  await rejects(
    'a:1',
    false,
    `conflict: unable to remove repository reference "a:1" (must force) - container cccccccccccc is using its referenced image ${short}`,
  );
  await rejects(
    short,
    false,
    `conflict: unable to delete ${short} (must be forced) - image is being used by stopped container cccccccccccc`,
  );
  store.containers[0]!.running = true;
  await rejects(
    short,
    true,
    `conflict: unable to delete ${short} (cannot be forced) - image is being used by running container cccccccccccc`,
  );
  assert.deepEqual(await store.images.remove('a:1', { force: true }), [{ Untagged: 'a:1' }]);
  store.containers[0]!.running = false;
  assert.deepEqual((await store.images.remove(short, { force: true }))[0], { Deleted: image.id });
  await assert.rejects(store.images.remove('nosuch', {}), {
    kind: 'not-found',
    message: 'No such image: nosuch:latest',
  });
});

test('a digest of the same repository goes with its last tag, and alone it holds the image', async (t) => {
  await using registry = await FakeRegistry.start();
  const store = await openTestImages(t);
  const image = craftImage([await tarOf([['x', 'x']])]);
  const { digest } = publish(registry, 'team/app', 'v1', image);
  const name = `${registry.host}/team/app`;
  const pull = () => store.images.pull({ image: name, tag: 'v1', progress: () => {}, signal: store.signal });
  await pull();
  await store.images.tag(`${name}:v1`, 'own:1');
  assert.deepEqual(await store.images.remove(`${name}:v1`, {}), [
    { Untagged: `${name}:v1` },
    { Untagged: `${name}@${digest}` },
  ]);
  await pull();
  const records = await store.images.remove('own:1', {});
  assert.deepEqual(records, [{ Untagged: 'own:1' }]);
  assert.deepEqual(await store.images.remove(`${name}@${digest}`, {}), [{ Untagged: `${name}@${digest}` }]);
  assert.deepEqual((await store.images.remove(`${name}:v1`, {}))[1], { Deleted: image.id });
});

test('nameless parents go with the last child, unless they are to stay', async (t) => {
  const store = await openTestImages(t);
  await put(store, ['base:1']);
  const base = store.images.resolve('base:1');
  const commit = async (parent: string, tag?: string) => {
    await store.layers.createSnapshot('box', { parent: base.chainId, owner: 'container' });
    const image = await store.images.commit({
      snapshotId: 'box',
      parentImageId: parent,
      config: {},
      repo: tag === undefined ? undefined : 'kid',
      tag,
      createdBy: `${made++}`,
      signal: store.signal,
    });
    await store.layers.removeSnapshot('box');
    return image;
  };
  const middle = await commit(base.id);
  const child = await commit(middle.id, 'v1');
  assert.deepEqual(await list(store, {}, true).then(({ length }) => length), 2);
  assert.equal((await store.images.list({ filters: new Filters(), all: true })).length, 3);
  await assert.rejects(store.images.remove(middle.id, { force: true }), {
    message: `conflict: unable to delete ${shortId(middle.id)} (cannot be forced) - image has dependent child images`,
  });
  assert.deepEqual(await store.images.remove('base:1', {}), [{ Untagged: 'base:1' }]);
  const gone = (await store.images.remove('kid:v1', {})).flatMap(({ Deleted }) => Deleted ?? []);
  assert.deepEqual(gone.slice(0, 3), [child.id, middle.id, base.id]);
});

test('lists are filtered as Docker filters them', async (t) => {
  const store = await openTestImages(t);
  const at = (created: string, labels: Record<string, string> = {}) => ({ created, config: { Labels: labels } });
  await put(store, ['old:1', 'host:5000/team/old:1'], at('2020-01-01T00:00:00Z', { tier: 'db' }));
  await put(store, ['mid:1'], at('2021-01-01T00:00:00Z', { tier: 'web' }));
  await put(store, ['new:1'], at('2022-01-01T00:00:00Z'));
  await put(store, [], at('2023-01-01T00:00:00Z'));
  const table: [Record<string, string[]>, string[]][] = [
    [{}, ['new:1', 'mid:1', 'host:5000/team/old:1', 'old:1']],
    [{ before: ['mid:1'] }, ['host:5000/team/old:1', 'old:1']],
    [{ since: ['mid:1'] }, ['new:1']],
    [{ label: ['tier'] }, ['mid:1', 'host:5000/team/old:1', 'old:1']],
    [{ label: ['tier=web'] }, ['mid:1']],
    [{ 'label!': ['tier'] }, ['new:1']],
    [{ until: ['2021-06-01'] }, ['mid:1', 'host:5000/team/old:1', 'old:1']],
    // The time itself is not before it, and of two times the earlier counts.
    [{ until: ['2021-01-01T00:00:00Z'] }, ['host:5000/team/old:1', 'old:1']],
    [{ until: ['2021-01-01T00:00:00Z', '2022-01-01T00:00:00Z'] }, ['host:5000/team/old:1', 'old:1']],
    [{ reference: ['*'] }, ['new:1', 'mid:1', 'old:1']],
    [{ reference: ['host:5000/*/old'] }, ['host:5000/team/old:1']],
    [{ reference: ['m*:?', 'new'] }, ['new:1', 'mid:1']],
    [{ reference: ['docker.io/library/new'] }, []],
    [{ dangling: ['true'] }, []],
  ];
  for (const [filters, names] of table) assert.deepEqual(await list(store, filters), names, JSON.stringify(filters));
  assert.equal((await store.images.list({ filters: new Filters([['dangling', ['true']]]) })).length, 1);
  assert.equal((await store.images.list({ filters: new Filters([['dangling', ['false']]]) })).length, 3);
  await assert.rejects(list(store, { foo: ['x'] }), { message: "invalid filter 'foo'" });
  await assert.rejects(list(store, { until: ['x'] }), { message: 'failed to parse value as time or duration: "x"' });
});

test('pruning takes nameless images, or all that no container uses, and counts what it freed', async (t) => {
  const store = await openTestImages(t);
  const nameless = await put(store, []);
  const used = await put(store, ['used:1']);
  await put(store, ['idle:1'], { created: '2024-01-02T03:04:05Z', config: { Labels: { keep: 'yes' } } });
  await put(store, ['other:1', 'other:2']);
  store.containers.push({ imageId: used.id, id: 'c'.repeat(64), name: 'c', running: false });
  for (const [values, message] of [
    [['abc'], 'failed to parse value as time or duration: "abc"'],
    [['1h', '2h'], 'more than one until filter specified'],
  ] as const)
    await assert.rejects(store.images.prune(new Filters([['until', values]])), { message });
  const first = await store.images.prune(new Filters());
  assert.deepEqual(first.ImagesDeleted[0], { Deleted: nameless.id });
  assert.equal(first.SpaceReclaimed, 100);
  const second = await store.images.prune(
    new Filters([
      ['dangling', ['false']],
      ['label!', ['keep']],
    ]),
  );
  assert.deepEqual(second.ImagesDeleted.slice(0, 2), [{ Untagged: 'other:1' }, { Untagged: 'other:2' }]);
  assert.deepEqual(
    await list(store),
    ['idle:1', 'used:1'].sort((a, b) => (store.images.resolve(a).id < store.images.resolve(b).id ? -1 : 1)),
  );
  assert.deepEqual(
    store.events.filter(({ action }) => action === 'prune').map(({ attributes }) => attributes),
    [{ reclaimed: '100' }, { reclaimed: '100' }],
  );
});

test('usage counts a shared layer once', async (t) => {
  const store = await openTestImages(t);
  await put(store, ['a:1']);
  await put(store, ['b:1']);
  const { layersSize, images } = await store.images.diskUsage();
  assert.equal(layersSize, 1200);
  assert.deepEqual(
    images.map(({ Size, SharedSize }) => [Size, SharedSize]),
    [
      [1100, 1000],
      [1100, 1000],
    ],
  );
});

test('a policy removes what was longest unused and nothing that is used, kept or young', async (t) => {
  const store = await openTestImages(t);
  const images = {
    used: await put(store, ['used:1']),
    kept: await put(store, ['kept:1'], { created: '2024-01-02T03:04:05Z', config: { Labels: { keep: '' } } }),
    oldest: await put(store, ['oldest:1']),
    older: await put(store, ['older:1']),
    young: await put(store, ['young:1']),
  };
  store.containers.push({ imageId: images.used.id, id: 'c'.repeat(64), name: 'c', running: true });
  const age = (name: keyof typeof images, hours: number) => {
    const at = new Date(Date.now() - hours * 3600 * 1000).toISOString();
    store.db.sql.prepare('UPDATE images SET used = ?, tagged = ? WHERE id = ?').run(at, at, images[name].id);
  };
  age('used', 100);
  age('kept', 100);
  age('oldest', 50);
  age('older', 40);
  const next = await store.reopen();
  next.containers.push(...store.containers);
  const policy = (limits: Partial<GcPolicy>): GcPolicy => ({ keepLabels: ['keep'], intervalMs: 1000, ...limits });
  assert.deepEqual((await next.images.clean(policy({ maxAgeMs: 60 * 3600 * 1000 }))).images, []);
  const byAge = await next.images.clean(policy({ maxAgeMs: 45 * 3600 * 1000 }));
  assert.deepEqual([byAge.images, byAge.reason], [[images.oldest.id], 'maxAge']);
  const bySize = await next.images.clean(policy({ maxUsedBytes: 1 }));
  assert.deepEqual([bySize.images, bySize.reason], [[images.older.id], 'maxUsed']);
  assert.ok(bySize.bytes > 0);
  assert.deepEqual((await list(next)).sort(), ['kept:1', 'used:1', 'young:1']);
  assert.deepEqual(
    next.events.filter(({ action }) => action === 'prune').map(({ attributes }) => attributes.reason),
    ['gc maxAge', 'gc maxUsed'],
  );
  assert.deepEqual((await next.images.clean(policy({ minFreeBytes: 1 }))).images, []);
});

test('names are resolved by id, prefix, tag and digest', async (t) => {
  const store = await openTestImages(t);
  const image = await put(store, ['a:1', 'host:5000/b:latest']);
  for (const ref of [
    'a:1',
    'docker.io/library/a:1',
    'host:5000/b',
    image.id,
    image.id.slice(7),
    image.id.slice(7, 19),
    `a@${image.id}`,
  ])
    assert.equal(store.images.resolve(ref).id, image.id, ref);
  const table: Record<string, string> = {
    nosuch: 'No such image: nosuch:latest',
    'a:2': 'No such image: a:2',
    'sha256:1234': 'No such image: sha256:1234',
    ['f'.repeat(64)]: `No such image: sha256:${'f'.repeat(64)}`,
    Foo: 'invalid reference format: repository name (library/Foo) must be lowercase',
  };
  for (const [ref, message] of Object.entries(table)) assert.throws(() => store.images.resolve(ref), { message }, ref);
});

test("tags that could be taken for something else are refused in Docker's words", async (t) => {
  const store = await openTestImages(t);
  await put(store, ['a:1']);
  const table: Record<string, string> = {
    'x:a b': 'invalid tag format',
    'x:a@b': 'invalid tag format',
    'sha256:x': 'refusing to create an ambiguous tag using digest algorithm as name',
    [`x@sha256:${'0'.repeat(64)}`]: 'cannot import digest reference',
    'a..b': 'invalid reference format',
    ['a'.repeat(64)]: `invalid repository name (${'a'.repeat(64)}), cannot specify 64-byte hexadecimal strings`,
  };
  for (const [target, message] of Object.entries(table))
    await assert.rejects(store.images.tag('a:1', target), { message }, target);
  await store.images.tag('a:1', 'UP.case/x');
  assert.deepEqual(store.images.resolve('a:1').repoTags, ['UP.case/x:latest', 'a:1']);
});

test('what runs keeps its blobs and layers from collection', async (t) => {
  await using registry = await FakeRegistry.start();
  const store = await openTestImages(t);
  const image = craftImage([await tarOf([['one', 'one']]), await tarOf([['two', 'two'.repeat(100_000)]])]);
  publish(registry, 'app', 'v1', image);
  registry.fault = ({ path }) => (path.includes('/blobs/') ? { delayMs: 50 } : undefined);
  let pulling = true;
  const pull = store.images
    .pull({ image: `${registry.host}/app:v1`, progress: () => {}, signal: store.signal })
    .finally(() => {
      pulling = false;
    });
  while (pulling) {
    await store.images.collect();
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await pull;
  const found = store.images.resolve(image.id);
  assert.ok(found.chainId !== undefined && store.layers.get(found.chainId) !== undefined);
  const manifest = JSON.parse((await store.content.read(found.manifestDigest)).toString());
  for (const { digest } of manifest.layers) assert.ok(await store.content.has(digest));
});

test('an image whose blobs are damaged is left out, and comes back with the next load', async (t) => {
  const store = await openTestImages(t);
  const image = await put(store, ['a:1']);
  const { writeFileSync } = await import('node:fs');
  writeFileSync(store.content.path(image.id), 'damaged');
  const next = await store.reopen();
  assert.deepEqual(next.images.all(), []);
  await next.images.load(Readable.from([await dockerArchive(image, ['a:1'])]), {
    progress: () => {},
    signal: next.signal,
  });
  assert.equal(next.images.resolve('a:1').id, image.id);
});
