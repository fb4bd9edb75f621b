import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, type TestContext, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import {
  type CraftedImage,
  craftImage,
  dockerArchive,
  publish,
  TYPES,
  tarOf,
} from '../../test/support/crafted-image.ts';
import { FakeRegistry, sha256 } from '../../test/support/fake-registry.ts';
import { openTestImages, type TestImages } from '../../test/support/image-store.ts';
import type { TarItem } from '../archive/index.ts';

const file = (name: string, text = 'evil'): TarItem => ({ header: { name }, body: Buffer.from(text) });
const link = (name: string, linkName: string, type: 'symlink' | 'hardlink' = 'symlink'): TarItem => ({
  header: { name, type, linkName },
});
const device = (name: string): TarItem => ({
  header: { name, type: 'char', mode: 0o666, deviceMajor: 1, deviceMinor: 1 },
});

/** Layers that try to reach `CANARY`, which stands beside the store's own directories. */
const ATTACKS: Record<string, (canary: string) => TarItem[][]> = {
  'dots that climb': () => [[file('../../canary/file')]],
  'dots in the middle': () => [[file('a/../../../canary/file')]],
  'an absolute path': (canary) => [[file(`${canary}/file`)]],
  'a symbolic link in an earlier entry': (canary) => [[link('way', canary), file('way/file')]],
  'a relative symbolic link in an earlier entry': () => [[link('way', '../../canary'), file('way/file')]],
  'a symbolic link in an earlier layer': (canary) => [[link('way', canary)], [file('way/file')]],
  'a chain of symbolic links': (canary) => [[link('a', 'b'), link('b', canary), file('a/file')]],
  'a hard link to what is outside': (canary) => [[link('own', `${canary}/file`, 'hardlink'), file('own')]],
  'a hard link that climbs': () => [[link('own', '../../canary/file', 'hardlink'), file('own')]],
  'a hard link through a symbolic link': (canary) => [
    [link('way', canary), link('own', 'way/file', 'hardlink'), file('own')],
  ],
  'a hard link through an earlier layer': (canary) => [
    [link('way', canary)],
    [link('own', 'way/file', 'hardlink'), file('own')],
  ],
  'a device node in place of a directory': () => [[device('dev/mem'), file('dev/mem/file')]],
  'a whiteout of the root': () => [[file('kept')], [file('.wh..', '')]],
  'a whiteout of the parent': () => [[file('kept')], [file('.wh...', '')]],
  'a whiteout through a symbolic link': (canary) => [[link('way', canary)], [file('way/.wh.file', '')]],
  'an opaque mark through a symbolic link': (canary) => [[link('way', canary)], [file('way/.wh..wh..opq', '')]],
  'a whiteout with a path in its name': () => [[file('kept')], [file('.wh.../../canary/file', '')]],
  'duplicate entries that change kind': (canary) => [[file('x'), link('x', canary), file('x/file')]],
  'a directory that becomes a link': (canary) => [
    [{ header: { name: 'd/', type: 'dir' } }, link('d', canary), file('d/file')],
  ],
};

async function fresh(t: TestContext): Promise<{ store: TestImages; canary: string }> {
  const store = await openTestImages(t, { attempts: 1 });
  const canary = join(store.root, 'canary');
  mkdirSync(canary);
  writeFileSync(join(canary, 'file'), 'precious');
  return { store, canary };
}

function assertUnharmed({ store, canary }: { store: TestImages; canary: string }): void {
  assert.deepEqual(readdirSync(canary), ['file']);
  assert.equal(readFileSync(join(canary, 'file'), 'utf8'), 'precious');
  assert.deepEqual(
    readdirSync(store.root).filter((name) => !/^(state\.db.*|content|layers|run|canary)$/.test(name)),
    [],
  );
  assert.deepEqual(readdirSync(join(store.root, 'layers/passing')), []);
}

async function assertNothingStays({ images, content, layers, root }: TestImages): Promise<void> {
  assert.deepEqual(images.all(), []);
  assert.deepEqual(layers.list(), []);
  assert.deepEqual(await Array.fromAsync(content.list()), []);
  assert.deepEqual(readdirSync(join(root, 'content/ingest')), []);
}

describe('a layer cannot reach outside of its place', () => {
  for (const [name, layersOf] of Object.entries(ATTACKS)) {
    test(`by ${name}, in an archive`, async (t) => {
      const place = await fresh(t);
      const image = craftImage(await Promise.all(layersOf(place.canary).map(tarOf)));
      await attempt(place.store, () => load(place.store, dockerArchive(image, ['evil:1'])));
      assertUnharmed(place);
    });
    test(`by ${name}, in an import`, async (t) => {
      const place = await fresh(t);
      for (const items of layersOf(place.canary))
        await attempt(place.store, async () => {
          const archive = Readable.from([await tarOf(items)]);
          const image = await place.store.images.importArchive(archive, { signal: place.store.signal, source: '-' });
          await place.store.images.remove(image.id, {});
        });
      assertUnharmed(place);
    });
    test(`by ${name}, from a registry`, async (t) => {
      await using registry = await FakeRegistry.start();
      const place = await fresh(t);
      publish(registry, 'evil', '1', craftImage(await Promise.all(layersOf(place.canary).map(tarOf))));
      await attempt(place.store, () =>
        place.store.images.pull({ image: `${registry.host}/evil:1`, progress: () => {}, signal: place.store.signal }),
      );
      assertUnharmed(place);
    });
  }
});

const load = async (store: TestImages, archive: Promise<Buffer> | Buffer) =>
  await store.images.load(Readable.from([await archive]), { progress: store.progress, signal: store.signal });

/** Either it is refused and leaves nothing, or all of it stays inside its layers. */
async function attempt(store: TestImages, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    assert.equal((error as { kind?: string }).kind, 'invalid', String(error));
    await assertNothingStays(store);
  }
}

test("names of an archive's own files lead nowhere", async (t) => {
  const place = await fresh(t);
  const image = craftImage([await tarOf([['x', 'x']])]);
  const config = sha256(image.config).slice(7);
  const manifest = (Config: string, layer: string) =>
    ['manifest.json', JSON.stringify([{ Config, RepoTags: ['e:1'], Layers: [layer] }])] as [string, string];
  for (const items of [
    [file('../../canary/file', 'x'), manifest('../../canary/file', '/etc/passwd')],
    [link('config', '/etc/passwd'), ['layer', image.layers[0]!] as [string, Buffer], manifest('config', 'layer')],
    [link('a', 'b'), link('b', 'a'), manifest('a', 'a')],
    [
      [`${config}.json`, image.config] as [string, Buffer],
      link('layer', join(place.canary, 'file')),
      manifest(`${config}.json`, 'layer'),
    ],
  ])
    await assert.rejects(load(place.store, tarOf(items as TarItem[])), { kind: 'invalid' });
  assertUnharmed(place);
  await assertNothingStays(place.store);
});

describe('an archive that is not what it says is refused, and nothing of it stays', () => {
  const good = async () => craftImage([await tarOf([['x', 'x'.repeat(10_000)]])]);
  const table: Record<string, () => Promise<{ archive: Buffer; message: RegExp }>> = {
    'no archive at all': async () => ({ archive: Buffer.alloc(3000, 7), message: /archive is damaged/ }),
    'an empty stream': async () => ({ archive: Buffer.alloc(0), message: /unrecognized image format/ }),
    'an archive of something else': async () => ({
      archive: await tarOf([['x', 'x']]),
      message: /unrecognized image format/,
    }),
    'a truncated archive': async () => ({
      archive: (await dockerArchive(await good(), ['a:1'])).subarray(0, 8000),
      message: /EOF|damaged|ends/,
    }),
    'a truncated gzip around it': async () => {
      const packed = gzipSync(await dockerArchive(await good(), ['a:1']));
      return { archive: packed.subarray(0, packed.length - 20), message: /gzip stream ends too early/ };
    },
    'a truncated gzip inside it': async () => {
      const image = await good();
      return {
        archive: await dockerArchive(image, ['a:1'], { compress: (layer) => gzipSync(layer).subarray(0, -12) }),
        message: /gzip|ends too early|damaged/,
      };
    },
    'a layer with another digest': async () => {
      const image = await good();
      return {
        archive: await dockerArchive({ ...image, layers: [await tarOf([['y', 'y']])] }, ['a:1']),
        message: /has diff id sha256:\w+ where sha256:\w+ was expected/,
      };
    },
    'fewer layers than its configuration': async () => {
      const image = await good();
      return {
        archive: await dockerArchive({ ...image, layers: [] }, ['a:1']),
        message: /layers length mismatch: expected 1, got 0/,
      };
    },
    'a missing layer': async () => {
      const image = await good();
      return {
        archive: await tarOf([
          ['c', image.config],
          ['manifest.json', JSON.stringify([{ Config: 'c', RepoTags: null, Layers: ['gone'] }])],
        ]),
        message: /gone is missing/,
      };
    },
    'a manifest that is no JSON': async () => ({
      archive: await tarOf([['manifest.json', '{']]),
      message: /manifest\.json is not valid JSON/,
    }),
    'a manifest of more than 4 MB': async () => ({
      archive: await tarOf([['manifest.json', Buffer.alloc(4 * 1024 * 1024 + 1, ' ')]]),
      message: /more than the 4194304 allowed/,
    }),
    'a bad name': async () => ({ archive: await dockerArchive(await good(), ['Bad:1']), message: /must be lowercase/ }),
    'a blob of a layout under another digest': async () => ({
      archive: await layout(await good(), { wrongBlob: true }),
      message: /does not match its digest/,
    }),
    'a blob of a layout with another size': async () => ({
      archive: await layout(await good(), { wrongSize: true }),
      message: /bytes where \d+ were expected/,
    }),
    'a layer of an unknown kind': async () => ({
      archive: await layout(await good(), { layerType: 'application/x-evil' }),
      message: /unsupported media type application\/x-evil/,
    }),
  };
  for (const [name, make] of Object.entries(table))
    test(name, async (t) => {
      const { store } = await fresh(t);
      const { archive, message } = await make();
      await assert.rejects(load(store, archive), (error: Error & { kind?: string }) => {
        assert.match(error.message, message);
        assert.equal(error.kind, 'invalid');
        return true;
      });
      await assertNothingStays(store);
      assert.ok(!store.events.some(({ action }) => action === 'load'));
    });
});

describe('an import that cannot be is refused, and nothing of it stays', () => {
  const good = () => tarOf([['x', 'x'.repeat(10_000)]]);
  const table: Record<string, () => Promise<Buffer>> = {
    'no archive at all': async () => Buffer.alloc(3000, 7),
    'a truncated archive': async () => (await good()).subarray(0, 6000),
    'a truncated gzip': async () => gzipSync(await good()).subarray(0, -12),
    'a gzip with a wrong sum': async () => {
      const packed = gzipSync(await good());
      packed.writeUInt32LE(1, packed.length - 8);
      return packed;
    },
  };
  for (const [name, make] of Object.entries(table))
    test(name, async (t) => {
      const { store } = await fresh(t);
      const archive = Readable.from([await make()]);
      const imported = store.images.importArchive(archive, { repo: 'a', signal: store.signal, source: '-' });
      await assert.rejects(imported, { kind: 'invalid' });
      await assertNothingStays(store);
    });
});

async function layout(
  image: CraftedImage,
  { wrongBlob = false, wrongSize = false, layerType = TYPES.ociLayer as string } = {},
): Promise<Buffer> {
  const layer = gzipSync(image.layers[0]!);
  const at = (bytes: Buffer) => `blobs/sha256/${sha256(bytes).slice(7)}`;
  const describe = (mediaType: string, bytes: Buffer) => ({ mediaType, digest: sha256(bytes), size: bytes.length });
  const named = { ...describe(layerType, layer), size: layer.length + (wrongSize ? 1 : 0) };
  const manifest = Buffer.from(
    JSON.stringify({ schemaVersion: 2, config: describe(TYPES.ociConfig, image.config), layers: [named] }),
  );
  return await tarOf([
    [at(layer), wrongBlob ? Buffer.concat([layer.subarray(1), layer.subarray(0, 1)]) : layer],
    [at(image.config), image.config],
    [at(manifest), manifest],
    ['index.json', JSON.stringify({ schemaVersion: 2, manifests: [describe(TYPES.ociManifest, manifest)] })],
    ['oci-layout', '{"imageLayoutVersion":"1.0.0"}'],
  ]);
}

describe('a registry that lies is refused, and nothing of it stays', () => {
  type Lie = (registry: FakeRegistry, image: CraftedImage) => void;
  const rewrite = (
    registry: FakeRegistry,
    change: (manifest: {
      config: { size: number; mediaType: string; digest: string };
      layers: { size: number; mediaType: string; digest: string; urls?: string[] }[];
    }) => void,
  ) => {
    const manifest = JSON.parse(registry.manifests.get('evil:1')!.bytes.toString());
    change(manifest);
    registry.addManifest('evil', '1', TYPES.manifest, manifest);
  };
  const table: Record<string, { lie: Lie; message: RegExp; kind?: string }> = {
    'a layer with other bytes': {
      lie: (registry, image) => {
        const blob = gzipSync(image.layers[0]!);
        registry.blobs.set(sha256(blob), Buffer.concat([blob.subarray(1), blob.subarray(0, 1)]));
      },
      message: /filesystem layer verification failed for digest sha256:/,
    },
    'a layer with more bytes than its manifest says': {
      lie: (registry) => rewrite(registry, ({ layers }) => layers[0]!.size--),
      message: /has more than the \d+ bytes that its manifest says/,
    },
    'a layer with fewer bytes': {
      lie: (registry) => rewrite(registry, ({ layers }) => layers[0]!.size++),
      message: /unexpected EOF/,
      kind: 'internal',
    },
    'a configuration with other bytes': {
      lie: (registry, image) =>
        registry.blobs.set(sha256(image.config), Buffer.from(image.config.toString().replace('sh', 'hs'))),
      message: /verification failed/,
    },
    'a layer that unpacks to something else': {
      lie: (registry) =>
        rewrite(registry, ({ layers }) =>
          Object.assign(layers[0]!, registry.addBlob('evil', gzipSync(Buffer.alloc(2048)))),
        ),
      message: /failed to register layer: .*has diff id/,
    },
    'a truncated gzip': {
      lie: (registry, image) =>
        rewrite(registry, ({ layers }) =>
          Object.assign(layers[0]!, registry.addBlob('evil', gzipSync(image.layers[0]!).subarray(0, -20))),
        ),
      message: /failed to register layer: .*gzip/,
    },
    'a layer that is no archive': {
      lie: (registry) =>
        rewrite(registry, ({ layers }) => Object.assign(layers[0]!, registry.addBlob('evil', Buffer.alloc(5000, 9)))),
      message: /failed to register layer/,
    },
    'more layers than its configuration': {
      lie: (registry) => rewrite(registry, ({ layers }) => layers.push(layers[0]!)),
      message: /layers from manifest don't match image configuration/,
    },
    'a layer of an unknown kind': {
      lie: (registry) => rewrite(registry, ({ layers }) => (layers[0]!.mediaType = 'application/x-evil')),
      message: /unsupported media type application\/x-evil/,
    },
    'a configuration of an unknown kind': {
      lie: (registry) =>
        rewrite(registry, ({ config }) => (config.mediaType = 'application/vnd.cncf.helm.config.v1+json')),
      message: /unsupported media type application\/vnd\.cncf\.helm/,
    },
    'a layer that is kept elsewhere': {
      lie: (registry) => rewrite(registry, ({ layers }) => (layers[0]!.urls = ['http://evil.example/'])),
      message: /kept at other places/,
    },
    'a digest that is a path': {
      lie: (registry) => rewrite(registry, ({ layers }) => (layers[0]!.digest = 'sha256:../../../../etc/passwd')),
      message: /image manifest is not valid at layers\.0\.digest/,
    },
    'a manifest of another type': {
      lie: (registry) => void registry.addManifest('evil', '1', 'application/x-evil', { schemaVersion: 2 }),
      message: /unsupported manifest media type/,
    },
    'a manifest of more than 4 MB': {
      lie: (registry) => void registry.addManifest('evil', '1', TYPES.manifest, Buffer.alloc(4 * 1024 * 1024 + 1, ' ')),
      message: /larger than the 4194304 bytes allowed/,
    },
    'a manifest that is no JSON': {
      lie: (registry) => void registry.addManifest('evil', '1', TYPES.manifest, Buffer.from('{')),
      message: /manifest is not valid JSON/,
    },
    'an index in an index': {
      lie: (registry) => {
        const inner = registry.addManifest('evil', undefined, TYPES.list, {
          schemaVersion: 2,
          mediaType: TYPES.list,
          manifests: [],
        });
        registry.addManifest('evil', '1', TYPES.list, {
          schemaVersion: 2,
          mediaType: TYPES.list,
          manifests: [{ ...inner, platform: { os: 'linux', architecture: 'amd64' } }],
        });
      },
      message: /index inside an image index/,
    },
    'an image of another system': {
      lie: (registry) => void publish(registry, 'evil', '1', craftImage([], { os: 'windows' })),
      message: /image operating system "windows" cannot be used on this platform/,
    },
  };
  for (const [name, { lie, message, kind = 'invalid' }] of Object.entries(table))
    test(name, async (t) => {
      await using registry = await FakeRegistry.start();
      const { store } = await fresh(t);
      const image = craftImage([await tarOf([['x', 'x'.repeat(10_000)]])]);
      publish(registry, 'evil', '1', image);
      lie(registry, image);
      await assert.rejects(
        store.images.pull({ image: `${registry.host}/evil:1`, progress: store.progress, signal: store.signal }),
        (error: Error & { kind?: string }) => {
          assert.match(error.message, message);
          assert.equal(error.kind, kind);
          return true;
        },
      );
      assert.deepEqual(store.images.all(), []);
      assert.deepEqual(store.layers.list(), []);
      if (kind === 'invalid') await assertNothingStays(store);
      assert.ok(!existsSync(join(store.root, 'evil')));
    });
});

test('a bomb is refused before it fills the disk', async (t) => {
  const { store } = await fresh(t);
  // A header that promises far more than comes is no reason to reserve it.
  const bomb = await tarOf([['small', 'x']]);
  bomb.write('77777777777', 124, 'latin1');
  rewriteChecksum(bomb);
  const image = craftImage([bomb]);
  await assert.rejects(load(store, dockerArchive(image, ['bomb:1'])), { kind: 'invalid' });
  await assertNothingStays(store);
});

/** tar(5): the sum of the header's bytes with the checksum field as blanks. */
function rewriteChecksum(tar: Buffer): void {
  tar.write('        ', 148, 'latin1');
  const sum = tar.subarray(0, 512).reduce((total, byte) => total + byte, 0);
  tar.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
}
