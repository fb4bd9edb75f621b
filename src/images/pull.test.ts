import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { zstdCompressSync } from 'node:zlib';
import { eventually } from '../../test/support/command.ts';
import { craftImage, publish, TYPES, tarOf } from '../../test/support/crafted-image.ts';
import { FakeRegistry, sha256 } from '../../test/support/fake-registry.ts';
import { openTestImages } from '../../test/support/image-store.ts';
import { Filters, shortId } from '../common/index.ts';

/** Two layers, one of which has some length. */
async function twoLayers() {
  return craftImage([await tarOf([['etc/one', 'one']]), await tarOf([['big', randomBytes(600_000)]])]);
}

test('a pull tells what Docker tells, and the second finds all there', async (t) => {
  await using registry = await FakeRegistry.start();
  const image = await twoLayers();
  const { digest } = publish(registry, 'team/app', 'v1', image);
  const store = await openTestImages(t);
  const pull = () =>
    store.images.pull({
      image: `${registry.host}/team/app`,
      tag: 'v1',
      progress: store.progress,
      signal: store.signal,
    });
  await pull();
  const manifest = JSON.parse(registry.manifests.get('team/app:v1')!.bytes.toString());
  const [one, two] = manifest.layers.map((layer: { digest: string }) => shortId(layer.digest));
  const lines = store.lines();
  assert.deepEqual(lines.slice(0, 3), [
    'v1: Pulling from team/app',
    `${one}: Pulling fs layer`,
    `${two}: Pulling fs layer`,
  ]);
  for (const id of [one, two]) {
    const own = lines.filter((line) => line.startsWith(`${id}: `)).map((line) => line.slice(id.length + 2));
    assert.deepEqual(own, ['Pulling fs layer', 'Verifying Checksum', 'Download complete', 'Pull complete']);
  }
  assert.ok(lines.indexOf(`${one}: Pull complete`) < lines.indexOf(`${two}: Pull complete`));
  assert.deepEqual(lines.slice(-2), [
    `Digest: ${digest}`,
    `Status: Downloaded newer image for ${registry.host}/team/app:v1`,
  ]);
  const found = store.images.resolve(`${registry.host}/team/app:v1`);
  assert.equal(found.id, image.id);
  assert.deepEqual(found.repoDigests, [`${registry.host}/team/app@${digest}`]);
  assert.deepEqual(store.events, [
    {
      action: 'pull',
      id: `${registry.host}/team/app:v1`,
      attributes: { made: 'by test', name: `${registry.host}/team/app` },
    },
  ]);
  store.messages.length = 0;
  const asked = registry.count(/GET .*\/(blobs|manifests)\//);
  await pull();
  assert.deepEqual(store.lines(), [
    'v1: Pulling from team/app',
    `Digest: ${digest}`,
    `Status: Image is up to date for ${registry.host}/team/app:v1`,
  ]);
  assert.equal(registry.count(/GET .*\/(blobs|manifests)\//), asked);
});

test('gzip, zstd and plain layers are pulled, as schema 2 and as OCI', async (t) => {
  await using registry = await FakeRegistry.start();
  const store = await openTestImages(t);
  const image = await twoLayers();
  publish(registry, 'a/gzip', 'x', image);
  publish(registry, 'a/zstd', 'x', image, {
    compress: (layer) => zstdCompressSync(layer),
    layerType: TYPES.ociZstd,
    type: TYPES.ociManifest,
    configType: TYPES.ociConfig,
  });
  publish(registry, 'a/plain', 'x', image, { compress: (layer) => layer, layerType: TYPES.plainLayer });
  publish(registry, 'a/oci', 'x', image, {
    layerType: TYPES.ociLayer,
    type: TYPES.ociManifest,
    configType: TYPES.ociConfig,
  });
  for (const name of ['gzip', 'zstd', 'plain', 'oci']) {
    await store.images.pull({ image: `${registry.host}/a/${name}:x`, progress: store.progress, signal: store.signal });
    assert.equal(store.images.resolve(`${registry.host}/a/${name}:x`).id, image.id);
  }
  assert.equal(store.layers.list().length, 2);
});

test('what was pulled is pushed elsewhere byte for byte', async (t) => {
  await using from = await FakeRegistry.start();
  await using to = await FakeRegistry.start();
  const store = await openTestImages(t);
  const image = await twoLayers();
  for (const [name, options] of Object.entries({
    gzip: {},
    zstd: {
      compress: (layer: Buffer) => zstdCompressSync(layer),
      layerType: TYPES.ociZstd,
      type: TYPES.ociManifest,
      configType: TYPES.ociConfig,
    },
    plain: { compress: (layer: Buffer) => layer, layerType: TYPES.plainLayer },
  })) {
    const { digest } = publish(from, `a/${name}`, 'x', image, options);
    await store.images.pull({ image: `${from.host}/a/${name}:x`, progress: store.progress, signal: store.signal });
    await store.images.tag(`${from.host}/a/${name}:x`, `${to.host}/b/${name}:y`);
    await store.images.push({
      image: `${to.host}/b/${name}`,
      tag: 'y',
      progress: store.progress,
      signal: store.signal,
    });
    assert.equal(sha256(to.manifests.get(`b/${name}:y`)!.bytes), digest, name);
  }
});

test('all tags are pulled when asked for, each a name of its own', async (t) => {
  await using registry = await FakeRegistry.start();
  const store = await openTestImages(t);
  const image = await twoLayers();
  for (const tag of ['a', 'b']) publish(registry, 'team/app', tag, image);
  await store.images.pull({
    image: `${registry.host}/team/app`,
    all: true,
    progress: store.progress,
    signal: store.signal,
  });
  assert.deepEqual(store.images.resolve(image.id).repoTags, [
    `${registry.host}/team/app:a`,
    `${registry.host}/team/app:b`,
  ]);
  assert.equal(store.lines().at(-1), `Status: Downloaded newer image for ${registry.host}/team/app`);
  assert.equal(store.events.length, 1);
});

test('a pull by digest gives no tag', async (t) => {
  await using registry = await FakeRegistry.start();
  const store = await openTestImages(t);
  const image = await twoLayers();
  const { digest } = publish(registry, 'team/app', 'v1', image);
  await store.images.pull({
    image: `${registry.host}/team/app@${digest}`,
    progress: store.progress,
    signal: store.signal,
  });
  const found = store.images.resolve(`${registry.host}/team/app@${digest}`);
  assert.deepEqual(
    [found.id, found.repoTags, found.repoDigests],
    [image.id, [], [`${registry.host}/team/app@${digest}`]],
  );
});

test('an index gives the image for the platform, and says when there is none', async (t) => {
  await using registry = await FakeRegistry.start();
  const store = await openTestImages(t);
  const layer = await tarOf([['x', 'x']]);
  const images = { amd64: craftImage([layer]), arm64: craftImage([layer], { architecture: 'arm64' }) };
  const manifests = Object.entries(images).map(([architecture, image]) => ({
    ...publish(registry, 'team/app', undefined, image),
    platform: { os: 'linux', architecture },
  }));
  const { digest } = registry.addManifest('team/app', 'v1', TYPES.list, {
    schemaVersion: 2,
    mediaType: TYPES.list,
    manifests,
  });
  const pull = (platform?: string) =>
    store.images.pull({
      image: `${registry.host}/team/app:v1`,
      platform,
      progress: store.progress,
      signal: store.signal,
    });
  await pull();
  assert.equal(store.images.resolve(`${registry.host}/team/app:v1`).id, images.amd64.id);
  assert.ok(store.lines().includes(`Digest: ${digest}`));
  await pull('linux/arm64');
  assert.equal(store.images.resolve(`${registry.host}/team/app:v1`).id, images.arm64.id);
  await pull('linux/arm64');
  assert.equal(store.images.resolve(`${registry.host}/team/app:v1`).id, images.arm64.id);
  await assert.rejects(pull('linux/s390x'), {
    message: 'no matching manifest for linux/s390x in the manifest list entries',
  });
});

test('a plain manifest of another platform is pulled with a warning', async (t) => {
  await using registry = await FakeRegistry.start();
  const store = await openTestImages(t);
  publish(registry, 'team/app', 'v1', await twoLayers());
  await store.images.pull({
    image: `${registry.host}/team/app:v1`,
    platform: 'linux/arm64',
    progress: store.progress,
    signal: store.signal,
  });
  assert.equal(
    store.lines().at(-1),
    `WARNING: image with reference ${registry.host}/team/app:v1 was found but its platform (linux/amd64) does not match the specified platform (linux/arm64)`,
  );
});

test('a blob is fetched once for pulls side by side', async (t) => {
  await using registry = await FakeRegistry.start();
  const store = await openTestImages(t);
  const image = await twoLayers();
  publish(registry, 'team/app', 'v1', image);
  registry.fault = ({ path }) => (path.includes('/blobs/') ? { chunkBytes: 100_000, pauseMs: 5 } : undefined);
  const pulls = Array.from({ length: 4 }, () =>
    store.images.pull({ image: `${registry.host}/team/app:v1`, progress: () => {}, signal: store.signal }),
  );
  await Promise.all(pulls);
  assert.equal(registry.count(/GET .*\/blobs\//), 3);
  assert.equal(store.images.resolve(`${registry.host}/team/app:v1`).id, image.id);
});

test('a pull that is cancelled does not end another for the same blobs', async (t) => {
  await using registry = await FakeRegistry.start();
  const store = await openTestImages(t);
  const image = await twoLayers();
  publish(registry, 'team/app', 'v1', image);
  registry.fault = ({ path }) => (path.includes('/blobs/') ? { chunkBytes: 50_000, pauseMs: 10 } : undefined);
  const abort = new AbortController();
  let began = () => {};
  const downloading = new Promise<void>((resolve) => {
    began = resolve;
  });
  const first = store.images.pull({
    image: `${registry.host}/team/app:v1`,
    progress: ({ status }) => status === 'Downloading' && began(),
    signal: abort.signal,
  });
  await downloading;
  const second = store.images.pull({ image: `${registry.host}/team/app:v1`, progress: () => {}, signal: store.signal });
  abort.abort();
  await assert.rejects(first);
  await second;
  assert.equal(store.images.resolve(`${registry.host}/team/app:v1`).id, image.id);
});

test('a pull that broke off is invisible, and the next one, of a new daemon, goes on where it was', async (t) => {
  await using registry = await FakeRegistry.start();
  const store = await openTestImages(t, { attempts: 1 });
  const image = await twoLayers();
  publish(registry, 'team/app', 'v1', image);
  const pull = (from: typeof store) =>
    from.images.pull({ image: `${registry.host}/team/app:v1`, progress: from.progress, signal: from.signal });
  registry.fault = ({ path, headers }) =>
    path.includes('/blobs/') && headers.range === undefined ? { cutAfter: 200_000 } : undefined;
  await assert.rejects(pull(store), /unexpected EOF|connection reset/);
  assert.deepEqual(await store.images.list({ all: true, filters: new Filters() }), []);
  const next = await store.reopen();
  assert.deepEqual(await next.images.list({ all: true, filters: new Filters() }), []);
  const before = registry.requests.length;
  await pull(next);
  const ranges = registry.requests
    .slice(before)
    .map(({ headers }) => headers.range)
    .filter((range) => range !== undefined);
  assert.equal(ranges.length, 1);
  assert.match(ranges[0] ?? '', /^bytes=[1-9]\d*-$/);
  assert.equal(next.images.resolve(`${registry.host}/team/app:v1`).id, image.id);
});

test('closing ends what is on its way, and keeps it', async (t) => {
  await using registry = await FakeRegistry.start();
  const store = await openTestImages(t);
  publish(registry, 'team/app', 'v1', await twoLayers());
  registry.fault = ({ path }) => (path.includes('/blobs/') ? { chunkBytes: 1000, pauseMs: 20 } : undefined);
  const pull = store.images.pull({
    image: `${registry.host}/team/app:v1`,
    progress: store.progress,
    signal: store.signal,
  });
  const ended = assert.rejects(pull, { message: 'the engine is closing' });
  const ingests = () => readdirSync(join(store.root, 'content/ingest')).filter((name) => name.startsWith('ref-'));
  await eventually('layers on their way', async () => ingests().length > 0);
  await store.images.close();
  const left = ingests().map((name) => statSync(join(store.root, 'content/ingest', name)).size);
  await ended;
  assert.deepEqual(
    ingests().map((name) => statSync(join(store.root, 'content/ingest', name)).size),
    left,
  );
});

test('a registry without ranges sends all of it again', async (t) => {
  await using registry = await FakeRegistry.start({ noRanges: true });
  const store = await openTestImages(t);
  const image = await twoLayers();
  publish(registry, 'team/app', 'v1', image);
  const cut = new Set<string>();
  registry.fault = ({ path, method }) => {
    if (method !== 'GET' || !path.includes('/blobs/') || cut.has(path)) return undefined;
    cut.add(path);
    return { cutAfter: 100 };
  };
  await store.images.pull({ image: `${registry.host}/team/app:v1`, progress: store.progress, signal: store.signal });
  assert.equal(store.images.resolve(`${registry.host}/team/app:v1`).id, image.id);
  assert.ok(store.lines().some((line) => /Retrying in \d+ second/.test(line)));
});

test('refusals are in the words of docker pull', async (t) => {
  await using registry = await FakeRegistry.start();
  await using closed = await FakeRegistry.start({ auth: 'token', user: { name: 'u', password: 'p' } });
  const store = await openTestImages(t, { attempts: 1 });
  publish(registry, 'team/app', 'v1', await twoLayers());
  const pull = (image: string, tag?: string, platform?: string) =>
    store.images.pull({ image, tag, platform, progress: store.progress, signal: store.signal });
  const { host } = registry;
  await assert.rejects(pull(`${host}/team/app`, 'none'), {
    kind: 'not-found',
    message: `manifest for ${host}/team/app:none not found: manifest unknown: manifest unknown`,
  });
  await assert.rejects(pull(`${closed.host}/x`, 'y'), {
    kind: 'not-found',
    message: `pull access denied for ${closed.host}/x, repository does not exist or may require 'docker login': denied: requested access to the resource is denied`,
  });
  await assert.rejects(pull(`${host}/team/app`, 'a:b'), { message: 'invalid tag format' });
  await assert.rejects(pull('Foo'), {
    message: 'invalid reference format: repository name (library/Foo) must be lowercase',
  });
  await assert.rejects(pull(`${host}/team/app`, 'v1', 'foo'), /unknown operating system or architecture/);
  assert.deepEqual(store.messages, []);
});
