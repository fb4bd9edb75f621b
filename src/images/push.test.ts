import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { craftImage, dockerArchive, publish, tarOf } from '../../test/support/crafted-image.ts';
import { FakeRegistry, type Fault, type SeenRequest, sha256 } from '../../test/support/fake-registry.ts';
import { openTestImages, type TestImages } from '../../test/support/image-store.ts';
import { shortId } from '../common/index.ts';

async function withImage(store: TestImages, ...tags: string[]) {
  const image = craftImage([await tarOf([['etc/one', 'one']]), await tarOf([['big', randomBytes(700_000)]])]);
  await store.images.load(Readable.from([await dockerArchive(image, tags)]), {
    progress: () => {},
    signal: store.signal,
  });
  return image;
}

const push = (store: TestImages, image: string, tag?: string) =>
  store.images.push({ image, tag, progress: store.progress, signal: store.signal });

test('a push tells what Docker tells: pushed, then there already, then mounted', async (t) => {
  await using registry = await FakeRegistry.start();
  const store = await openTestImages(t);
  const image = await withImage(store, `${registry.host}/team/app:v1`, `${registry.host}/team/other:v2`);
  const [one, two] = image.layers.map((layer) => shortId(sha256(layer)));
  await push(store, `${registry.host}/team/app`, 'v1');
  const pushed = registry.manifests.get('team/app:v1')!;
  const digest = sha256(pushed.bytes);
  const lines = store.lines();
  assert.deepEqual(lines.slice(0, 3), [
    `The push refers to repository [${registry.host}/team/app]`,
    `${two}: Preparing`,
    `${one}: Preparing`,
  ]);
  assert.deepEqual(lines.slice(3, 5).sort(), [`${one}: Pushed`, `${two}: Pushed`].sort());
  assert.equal(lines[5], `v1: digest: ${digest} size: ${pushed.bytes.length}`);
  assert.deepEqual(store.messages.at(-1)?.aux, { Tag: 'v1', Digest: digest, Size: pushed.bytes.length });
  assert.deepEqual(store.images.resolve(image.id).repoDigests, [`${registry.host}/team/app@${digest}`]);

  store.messages.length = 0;
  await push(store, `${registry.host}/team/app`, 'v1');
  assert.deepEqual(
    store.lines().slice(3, 5).sort(),
    [`${one}: Layer already exists`, `${two}: Layer already exists`].sort(),
  );
  store.messages.length = 0;
  await push(store, `${registry.host}/team/other`, 'v2');
  assert.deepEqual(
    store.lines().slice(3, 5).sort(),
    [`${one}: Mounted from team/app`, `${two}: Mounted from team/app`].sort(),
  );
  assert.equal(sha256(registry.manifests.get('team/other:v2')!.bytes), digest);
});

test('layers made here are packed once, and the digest stays from then on', async (t) => {
  await using first = await FakeRegistry.start();
  await using second = await FakeRegistry.start();
  const store = await openTestImages(t);
  const image = await withImage(store, `${first.host}/app:v1`, `${second.host}/app:v1`);
  await push(store, `${first.host}/app`, 'v1');
  await push(store, `${second.host}/app`, 'v1');
  const bytes = first.manifests.get('app:v1')!.bytes;
  assert.deepEqual(second.manifests.get('app:v1')!.bytes, bytes);
  for (const layer of JSON.parse(bytes.toString()).layers) assert.match(layer.mediaType, /tar\.gzip$/);
  const other = await openTestImages(t);
  await other.images.pull({ image: `${second.host}/app:v1`, progress: () => {}, signal: other.signal });
  assert.equal(other.images.resolve(`${second.host}/app:v1`).id, image.id);
  // The plain archives are needed no more.
  await store.images.collect();
  const kept = await Array.fromAsync(store.content.list());
  assert.equal(kept.length, 4);
});

test('all tags of a repository are pushed without a tag', async (t) => {
  await using registry = await FakeRegistry.start();
  const store = await openTestImages(t);
  await withImage(store, `${registry.host}/app:a`, `${registry.host}/app:b`, `${registry.host}/apple:c`);
  await push(store, `${registry.host}/app`);
  assert.deepEqual(
    [...registry.manifests.keys()].filter((name) => name.includes(':') && !name.includes('@')),
    ['app:a', 'app:b'],
  );
});

test("what is not here or not allowed is refused in Docker's words", async (t) => {
  await using registry = await FakeRegistry.start({ auth: 'basic', user: { name: 'u', password: 'p' } });
  const store = await openTestImages(t, { attempts: 1 });
  await withImage(store, `${registry.host}/app:v1`);
  await assert.rejects(push(store, 'nosuch', 'v1'), {
    message: 'An image does not exist locally with the tag: nosuch',
  });
  assert.deepEqual(store.lines(), ['The push refers to repository [docker.io/library/nosuch]']);
  await assert.rejects(push(store, `${registry.host}/app`, 'v1'), /no basic auth credentials$/);
  const auth = { username: 'u', password: 'wrong' };
  await assert.rejects(
    store.images.push({ image: `${registry.host}/app`, tag: 'v1', auth, progress: () => {}, signal: store.signal }),
    {
      message: 'unauthorized: authentication required',
    },
  );
  assert.equal(registry.manifests.size, 0);
});

test('a failing layer ends the push, and nothing is named in the registry', async (t) => {
  await using registry = await FakeRegistry.start();
  const store = await openTestImages(t, { attempts: 2 });
  await withImage(store, `${registry.host}/app:v1`);
  registry.fault = ({ method }) =>
    method === 'PATCH'
      ? { status: 403, body: JSON.stringify({ errors: [{ code: 'DENIED', message: 'quota exceeded' }] }) }
      : undefined;
  await assert.rejects(push(store, `${registry.host}/app`, 'v1'), { message: 'denied: quota exceeded' });
  assert.equal(registry.manifests.size, 0);
});

test('an image that was pulled keeps its manifest when a sibling is pushed', async (t) => {
  await using registry = await FakeRegistry.start();
  const store = await openTestImages(t);
  const base = craftImage([await tarOf([['base', 'base']])]);
  const { digest } = publish(registry, 'base', 'v1', base);
  await store.images.pull({ image: `${registry.host}/base:v1`, progress: () => {}, signal: store.signal });
  const child = craftImage([...base.layers, await tarOf([['more', 'more']])]);
  await store.images.load(Readable.from([await dockerArchive(child, [`${registry.host}/child:v1`])]), {
    progress: () => {},
    signal: store.signal,
  });
  await push(store, `${registry.host}/child`, 'v1');
  await push(store, `${registry.host}/base`, 'v1');
  assert.equal(sha256(registry.manifests.get('base:v1')!.bytes), digest);
});

test('a layer is sent while it is packed, and from where it broke off or anew if that fails', async (t) => {
  const faults: Record<string, Parameters<typeof faultyPush>[1]> = {
    'nothing fails': () => undefined,
    'the registry is busy': ({ method }, before) => (method === 'PATCH' && before === 0 ? { status: 503 } : undefined),
    'the connection breaks': ({ method }, before) => (method === 'PATCH' && before === 0 ? 'reset' : undefined),
    'the registry forgets uploads': ({ method }, before) =>
      method === 'GET' ? { status: 404 } : method === 'PATCH' && before === 0 ? { status: 500 } : undefined,
  };
  for (const [name, fault] of Object.entries(faults))
    await t.test(name, async (inner) => {
      const { registry, image } = await faultyPush(inner, fault);
      const sent = registry.requests.filter(({ method }) => method === 'PATCH');
      assert.equal(sent[0]?.headers['content-length'], undefined);
      const manifest = JSON.parse(registry.manifests.get('app:v1')!.bytes.toString());
      const layers = manifest.layers.map(({ digest }: { digest: string }) => gunzipSync(registry.blobs.get(digest)!));
      assert.deepEqual(layers.map(sha256), image.layers.map(sha256));
    });
});

async function faultyPush(t: TestContext, fault: (request: SeenRequest, patchesBefore: number) => Fault | undefined) {
  const registry = await FakeRegistry.start();
  t.after(() => registry[Symbol.asyncDispose]());
  const store = await openTestImages(t);
  const image = craftImage([await tarOf([['big', randomBytes(700_000)]])]);
  const archive = await dockerArchive(image, [`${registry.host}/app:v1`]);
  await store.images.load(Readable.from([archive]), { progress: () => {}, signal: store.signal });
  let patches = 0;
  registry.fault = (request) => fault(request, request.method === 'PATCH' ? patches++ : patches);
  await push(store, `${registry.host}/app`, 'v1');
  return { registry, image };
}

test('a layer that was packed for another image is neither packed nor sent again', async (t) => {
  await using registry = await FakeRegistry.start();
  const store = await openTestImages(t);
  const base = craftImage([await tarOf([['base', 'base']])]);
  const child = craftImage([...base.layers, await tarOf([['more', 'more']])]);
  for (const [image, name] of [
    [base, 'base:v1'],
    [child, 'child:v1'],
  ] as const)
    await store.images.load(Readable.from([await dockerArchive(image, [`${registry.host}/${name}`])]), {
      progress: () => {},
      signal: store.signal,
    });
  await push(store, `${registry.host}/base`, 'v1');
  store.messages.length = 0;
  await push(store, `${registry.host}/child`, 'v1');
  assert.ok(store.lines().includes(`${shortId(sha256(base.layers[0]!))}: Mounted from base`), store.lines().join('\n'));
});
