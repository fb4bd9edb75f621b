import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { isKind } from '../common/index.ts';
import { openContentStore } from './index.ts';

async function fresh(t: TestContext) {
  const dir = await mkdtemp(join(tmpdir(), 'gt-content-'));
  t.after(() => rm(dir, { recursive: true }));
  const store = await openContentStore(dir);
  return { dir, store, lease: store.lease() };
}
const sha = (text: string, algorithm = 'sha256') => `${algorithm}:${createHash(algorithm).update(text).digest('hex')}`;

test('a stored blob is read back by its digest', async (t) => {
  const { store, lease } = await fresh(t);
  const { digest, size } = await store.put(Buffer.from('hello'), lease);
  assert.equal(digest, sha('hello'));
  assert.equal(size, 5);
  assert.equal((await store.read(digest)).toString(), 'hello');
  assert.equal(await store.size(digest), 5);
  const parts: Buffer[] = [];
  for await (const part of await store.open(digest, { start: 2 })) parts.push(part);
  assert.equal(Buffer.concat(parts).toString(), 'llo');
  assert.deepEqual(await Array.fromAsync(store.list()), [{ digest, size: 5 }]);
});

test('a blob with another digest or size than expected leaves nothing', async (t) => {
  const { dir, store, lease } = await fresh(t);
  for (const expected of [{ digest: sha('other') }, { size: 4 }]) {
    const ingest = await store.ingest(lease, { ref: 'x' });
    await ingest.write(Buffer.from('hello'));
    await assert.rejects(ingest.commit(expected), (error) => isKind(error, 'invalid'));
  }
  assert.deepEqual(await readdir(join(dir, 'ingest')), []);
  assert.equal(await store.has(sha('hello')), false);
});

test('a sha512 digest is verified too', async (t) => {
  const { store, lease } = await fresh(t);
  await store.put(Buffer.from('hello'), lease, { digest: sha('hello', 'sha512') });
  assert.equal((await store.read(sha('hello', 'sha512'))).toString(), 'hello');
  await assert.rejects(store.put(Buffer.from('hellO'), lease, { digest: sha('hello', 'sha512') }));
});

test('an ingest that was broken off is resumed by its ref, also by the next process', async (t) => {
  const { dir, store, lease } = await fresh(t);
  const first = await store.ingest(lease, { ref: 'blob' });
  await first.write(Buffer.from('hel'));
  await assert.rejects(store.ingest(lease, { ref: 'blob' }), (error) => isKind(error, 'conflict'));
  await first.close();
  const again = await openContentStore(dir);
  const second = await again.ingest(lease, { ref: 'blob' });
  assert.equal(second.offset, 3);
  await second.write(Buffer.from('lo'));
  assert.equal((await second.commit({ digest: sha('hello'), size: 5 })).digest, sha('hello'));
  const third = await again.ingest(lease, { ref: 'blob' });
  assert.equal(third.offset, 0);
  await third.discard();
});

test('pieces of any size, gathered for the file, come out in order; so do those before a break', async (t) => {
  const { store, lease } = await fresh(t);
  const sizes = [0, 1, 700_000, 0, 400_000, 3_000_000, ...Array.from({ length: 3000 }, (_, at) => at % 7), 2];
  const pieces = sizes.map((size, at) => Buffer.alloc(size, `${at}.`));
  const first = await store.ingest(lease, { ref: 'pieces' });
  for (const piece of pieces) await first.write(piece);
  await first.close();
  const whole = Buffer.concat(pieces);
  const second = await store.ingest(lease, { ref: 'pieces' });
  assert.equal(second.offset, whole.length);
  for (const piece of pieces) await second.write(piece);
  const { digest, size } = await second.commit();
  assert.equal(size, whole.length * 2);
  assert.deepEqual(await store.read(digest, size), Buffer.concat([whole, whole]));
});

test('opening removes ingests without a ref and those older than a day', async (t) => {
  const { dir, store, lease } = await fresh(t);
  await writeFile(join(dir, 'ingest', 'tmp-of-a-dead-process'), 'x');
  const old = await store.ingest(lease, { ref: 'old' });
  await old.write(Buffer.from('x'));
  await old.close();
  const young = await store.ingest(lease, { ref: 'young' });
  await young.write(Buffer.from('y'));
  await young.close();
  const names = await readdir(join(dir, 'ingest'));
  for (const name of names)
    if ((await readFile(join(dir, 'ingest', name), 'utf8')) === 'x') {
      const past = new Date(Date.now() - 25 * 3600 * 1000);
      await utimes(join(dir, 'ingest', name), past, past);
    }
  await openContentStore(dir);
  assert.equal((await readdir(join(dir, 'ingest'))).length, 1);
});

test('a damaged or too large blob is not read', async (t) => {
  const { store, lease } = await fresh(t);
  const { digest } = await store.put(Buffer.from('hello'), lease);
  await assert.rejects(store.read(digest, 4), (error) => isKind(error, 'invalid'));
  await writeFile(store.path(digest), 'hellO');
  await assert.rejects(store.read(digest), /damaged/);
  await assert.rejects(store.read(sha('none')), (error) => isKind(error, 'not-found'));
  await assert.rejects(store.open(sha('none')), (error) => isKind(error, 'not-found'));
});

test('a digest cannot name another place', async (t) => {
  const { store } = await fresh(t);
  for (const digest of ['sha256:../../x', 'md5:abc', 'sha256:ABC', '', `sha256:${'0'.repeat(63)}/`])
    assert.throws(
      () => store.path(digest),
      (error) => isKind(error, 'invalid'),
    );
});

test('a blob that a lease holds is not deleted until the last holder ends', async (t) => {
  const { store, lease } = await fresh(t);
  const other = store.lease();
  const { digest } = await store.put(Buffer.from('hello'), lease);
  other.add(digest);
  lease.end();
  assert.equal(await store.delete(digest), false);
  other.end();
  const deleted = store.delete(digest);
  assert.equal(await store.has(digest), false, 'it is out of sight at once');
  assert.equal(await deleted, true);
  assert.equal(await store.delete(digest), true);
});

test('a blob that is deleted while it comes again is there afterwards', async (t) => {
  const { store, lease } = await fresh(t);
  const { digest } = await store.put(Buffer.from('hello'), lease);
  lease.end();
  const mine = store.lease();
  for (let round = 0; round < 50; round++)
    await Promise.all([
      store.put(Buffer.from('hello'), mine),
      (async () => {
        for (let wait = round % 7; wait > 0; wait--) await new Promise(setImmediate);
        await store.delete(digest);
      })(),
    ]);
  assert.equal(await store.has(digest), true);
});

test('the index lists what it was told', async (t) => {
  const { dir, store } = await fresh(t);
  assert.equal(await readFile(join(dir, 'oci-layout'), 'utf8'), '{"imageLayoutVersion":"1.0.0"}');
  const entry = { mediaType: 'application/vnd.oci.image.manifest.v1+json', digest: sha('m'), size: 1 };
  await store.writeIndex([entry]);
  assert.deepEqual(JSON.parse(await readFile(join(dir, 'index.json'), 'utf8')).manifests, [entry]);
});
