import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { type CraftedImage, craftImage, TYPES, tarOf } from '../../test/support/crafted-image.ts';
import { sha256 } from '../../test/support/fake-registry.ts';
import { openTestImages, type TestImages } from '../../test/support/image-store.ts';
import type { Descriptor } from '../wire/index.ts';

const FOREIGN = 's390x';
const OWN = process.arch === 'x64' ? 'amd64' : process.arch;

/** The archive of an OCI layout that is put together by hand, as other tools write them. */
class Layout {
  readonly #blobs = new Map<string, Buffer>();

  add(mediaType: string, content: Buffer | object): Descriptor {
    const bytes = Buffer.isBuffer(content) ? content : Buffer.from(JSON.stringify(content));
    this.#blobs.set(sha256(bytes), bytes);
    return { mediaType, digest: sha256(bytes), size: bytes.length };
  }

  image(image: CraftedImage, { zstd = false, layerType }: { zstd?: boolean; layerType?: string } = {}): Descriptor {
    const type = layerType ?? (zstd ? TYPES.ociZstd : TYPES.ociLayer);
    const pack = zstd ? zstdCompressSync : gzipSync;
    return this.add(TYPES.ociManifest, {
      schemaVersion: 2,
      mediaType: TYPES.ociManifest,
      config: this.add(TYPES.ociConfig, image.config),
      layers: image.layers.map((layer) => this.add(type, pack(layer))),
    });
  }

  index(manifests: readonly Descriptor[]): Descriptor {
    return this.add(TYPES.ociIndex, { schemaVersion: 2, mediaType: TYPES.ociIndex, manifests });
  }

  archive(manifests: readonly Descriptor[]): Promise<Buffer> {
    return tarOf([
      ['oci-layout', '{"imageLayoutVersion":"1.0.0"}'],
      ['index.json', JSON.stringify({ schemaVersion: 2, manifests })],
      ...[...this.#blobs].map(([digest, bytes]): [string, Buffer] => [`blobs/${digest.replace(':', '/')}`, bytes]),
    ]);
  }
}

const named = (descriptor: Descriptor, name: string): Descriptor => ({
  ...descriptor,
  annotations: { 'org.opencontainers.image.ref.name': name },
});
const forPlatform = (descriptor: Descriptor, architecture: string, os = 'linux'): Descriptor => ({
  ...descriptor,
  platform: { os, architecture },
});
const craft = async (architecture: string) =>
  craftImage([await tarOf([['etc/architecture', architecture]])], { architecture });

const load = (store: TestImages, archive: Buffer, platform?: string) =>
  store.images.load(Readable.from([archive]), {
    progress: store.progress,
    signal: store.signal,
    ...(platform === undefined ? {} : { platform }),
  });

test('of an index of several platforms the name is given to this machine’s image, or to the one asked for', async (t) => {
  const [own, foreign] = [await craft(OWN), await craft(FOREIGN)];
  const layout = new Layout();
  const index = layout.index([
    forPlatform(layout.image(own), OWN),
    forPlatform(layout.image(foreign), FOREIGN),
    // Of a platform that was left out of the archive.
    forPlatform({ mediaType: TYPES.ociManifest, digest: sha256(Buffer.from('absent')), size: 6 }, 'riscv64'),
  ]);
  const archive = await layout.archive([named(index, 'team/app:1')]);
  const store = await openTestImages(t);
  await load(store, archive);
  assert.equal(store.images.resolve('team/app:1').id, own.id);
  assert.deepEqual(
    store.images.all().map(({ id }) => id),
    [own.id],
  );
  await load(store, archive, `linux/${FOREIGN}`);
  assert.equal(store.images.resolve('team/app:1').id, foreign.id);
  await assert.rejects(load(store, archive, 'linux/riscv64'), { kind: 'not-found' });
});

test('an image for another machine is loaded where the archive has no other', async (t) => {
  const foreign = await craft(FOREIGN);
  const layout = new Layout();
  const archive = await layout.archive([
    named(layout.index([forPlatform(layout.image(foreign), FOREIGN)]), 'team/app:1'),
  ]);
  const store = await openTestImages(t);
  await load(store, archive);
  assert.equal(store.images.resolve('team/app:1').id, foreign.id);
});

test('attestations beside an image are passed over, whether they are annotated or only for no platform', async (t) => {
  const own = await craft(OWN);
  const layout = new Layout();
  const image = forPlatform(layout.image(own), OWN);
  const statement = layout.image(craftImage([Buffer.from('{}')], { architecture: 'unknown', os: 'unknown' }), {
    layerType: 'application/vnd.in-toto+json',
  });
  const annotations = {
    'vnd.docker.reference.type': 'attestation-manifest',
    'vnd.docker.reference.digest': image.digest,
  };
  for (const [tag, attestation] of Object.entries({
    annotated: { ...statement, annotations },
    unknown: forPlatform(statement, 'unknown', 'unknown'),
  })) {
    const store = await openTestImages(t);
    await load(store, await layout.archive([named(layout.index([image, attestation]), `team/app:${tag}`)]));
    assert.deepEqual(
      store.images.all().map(({ id, repoTags }) => [id, repoTags]),
      [[own.id, [`team/app:${tag}`]]],
    );
    // Configuration, manifest and layer; nothing of the attestation.
    assert.equal((await Array.fromAsync(store.content.list())).length, 3);
  }
});

test('each reference of a layout names its image: whole names, and bare tags none', async (t) => {
  const [first, second] = [await craft(OWN), await craft(FOREIGN)];
  const layout = new Layout();
  const [one, two] = [layout.image(first, { zstd: true }), layout.image(second)];
  const store = await openTestImages(t);
  await load(
    store,
    await layout.archive([
      named(one, 'docker.io/library/app:1'),
      named(one, 'localhost/app:also'),
      { ...named(two, '2'), annotations: { 'io.containerd.image.name': 'registry.example/app:2' } },
      named(one, 'bare'),
    ]),
  );
  assert.deepEqual(store.images.resolve(first.id).repoTags.toSorted(), ['app:1', 'localhost/app:also']);
  assert.deepEqual(store.images.resolve(second.id).repoTags, ['registry.example/app:2']);
});
