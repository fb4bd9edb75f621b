import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { byteName, type TarItem, writeTar } from '../../src/archive/index.ts';
import { digestOf, eventually, TestDaemon, tarOf } from '../support/index.ts';

let daemon: TestDaemon;
/** What is kept when nothing but busybox is there. */
let bare: ReturnType<typeof kept>;
before(async () => {
  daemon = await TestDaemon.start();
  bare = kept();
});
after(async () => {
  await daemon?.[Symbol.asyncDispose]();
});

const load = (archive: Buffer) => daemon.api('POST', '/images/load', archive, { 'content-type': 'application/x-tar' });
const inspect = async (name: string) => (await daemon.api('GET', `/images/${name}/json`)).json;
const remove = (name: string) => daemon.api('DELETE', `/images/${encodeURIComponent(name)}?force=1`);
const files = (dir: string) => readdirSync(join(daemon.dataRoot, dir)).sort();
/** What is on disk of images. */
const kept = () => ({ blobs: files('content/blobs/sha256'), parts: files('content/ingest'), layers: files('layers') });

async function archiveOf(items: TarItem[]): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of writeTar(items)) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

const file = (name: string, body: Buffer | string): TarItem => ({
  header: { name: byteName(name) },
  body: Buffer.from(body),
});

const configOf = (layers: readonly Buffer[]) =>
  JSON.stringify({
    architecture: 'amd64',
    os: 'linux',
    config: {},
    rootfs: { type: 'layers', diff_ids: layers.map(digestOf) },
  });

/** `docker save` of before 25: a directory for each layer, of which one may be a link to another's. */
async function oldArchive(tag: string): Promise<{ archive: Buffer; id: string }> {
  const layer = await tarOf({ 'etc/motd': tag });
  const config = configOf([layer, layer]);
  const list = [{ Config: 'config.json', RepoTags: [tag], Layers: ['one/layer.tar', 'two/layer.tar'] }];
  const archive = await archiveOf([
    file('one/layer.tar', layer),
    file('one/VERSION', '1.0'),
    { header: { name: byteName('two/layer.tar'), type: 'symlink', linkName: byteName('../one/layer.tar') } },
    file('config.json', config),
    file('manifest.json', JSON.stringify(list)),
  ]);
  return { archive, id: digestOf(Buffer.from(config)) };
}

test('an old archive with linked layers loads, plain and compressed', async () => {
  const { archive, id } = await oldArchive('old/kind:1');
  const packed = (program: string) =>
    execFileSync(program, ['-c'], { input: archive, stdio: ['pipe', 'pipe', 'ignore'] });
  for (const bytes of [archive, gzipSync(archive), packed('bzip2'), packed('xz'), packed('zstd')]) {
    const answer = await load(bytes);
    assert.match(answer.text, /Loaded image: old\/kind:1/);
    assert.equal((await inspect('old/kind:1')).Id, id);
    await remove('old/kind:1');
  }
});

test('what is saved loads as the same image, with layers, history and tags', async () => {
  await daemon.ok('run', '--name', 'saved', 'busybox', 'sh', '-c', 'echo hi > /root/made; rm /etc/group');
  const id = await daemon.ok('commit', '-m', 'words', '-c', 'ENV A=b', 'saved', 'for/save:1');
  await daemon.ok('rm', 'saved');
  await daemon.ok('tag', 'for/save:1', 'for/save:2');
  const before = await inspect('for/save:1');
  const file = join(daemon.root, 'saved.tar');
  await daemon.ok('save', '-o', file, 'for/save');
  const list = JSON.parse(execFileSync('tar', ['-xOf', file, 'manifest.json'], { encoding: 'utf8' }));
  assert.deepEqual(list[0].RepoTags, ['for/save:1', 'for/save:2']);
  // The file that was deleted is still in the lower layer.
  const lower = execFileSync('tar', ['-xOf', file, list[0].Layers[0]], { maxBuffer: 64 << 20 });
  assert.match(execFileSync('tar', ['-t'], { input: lower, encoding: 'utf8' }), /etc\/group/);
  await remove('for/save:1');
  await remove('for/save:2');
  assert.equal(await daemon.ok('load', '-q', '-i', file), 'Loaded image: for/save:1\nLoaded image: for/save:2');
  const again = await inspect('for/save:1');
  assert.equal(again.Id, id);
  assert.deepEqual({ ...again, Metadata: {}, Parent: '' }, { ...before, Metadata: {}, Parent: '' });
  const said = await daemon.ok('run', '--rm', 'for/save:2', 'sh', '-c', 'cat /root/made; ls /etc/group; echo $A');
  assert.equal(said, 'hi\nb');
  await remove('for/save:1');
  await remove('for/save:2');
});

test('an archive that is broken or lies is refused, and nothing of it stays', async () => {
  const { archive } = await oldArchive('evil/one:1');
  const layer = await tarOf({ file: 'text' });
  const outside = await archiveOf([file('../../../../tmp/gantry-outside', 'x')]);
  const through = await archiveOf([
    { header: { name: byteName('way'), type: 'symlink', linkName: byteName('/') } },
    file('way/gantry-outside', 'x'),
  ]);
  const image = async (claimed: Buffer, sent: Buffer) =>
    archiveOf([
      file('layer.tar', sent),
      file('config.json', configOf([claimed])),
      file(
        'manifest.json',
        JSON.stringify([{ Config: 'config.json', RepoTags: ['evil/one:1'], Layers: ['layer.tar'] }]),
      ),
    ]);
  const digest = `blobs/sha256/${'0'.repeat(64)}`;
  for (const [what, bytes] of Object.entries({
    truncated: archive.subarray(0, archive.length - 4096),
    'truncated gzip': gzipSync(archive).subarray(0, 200),
    'wrong layer': await image(await tarOf({ other: 'text' }), layer),
    'no manifest': await archiveOf([file('layer.tar', layer)]),
    'missing layer': await archiveOf([
      file('config.json', configOf([layer])),
      file(
        'manifest.json',
        JSON.stringify([{ Config: 'config.json', RepoTags: ['evil/one:1'], Layers: ['layer.tar'] }]),
      ),
    ]),
    'wrong digest': await archiveOf([
      file(digest, '{}'),
      file(
        'index.json',
        JSON.stringify({
          schemaVersion: 2,
          manifests: [
            { mediaType: 'application/vnd.oci.image.manifest.v1+json', digest: `sha256:${'0'.repeat(64)}`, size: 2 },
          ],
        }),
      ),
    ]),
    'link loop': await archiveOf([
      { header: { name: byteName('manifest.json'), type: 'symlink', linkName: byteName('manifest.json') } },
    ]),
    text: Buffer.from('no archive at all'.repeat(100)),
  })) {
    const answer = await load(bytes);
    assert.ok(answer.status >= 400 || answer.text.includes('"error"'), `${what}: ${answer.status} ${answer.text}`);
    assert.equal((await inspect('evil/one')).Id, undefined, what);
    await eventually(`nothing stays: ${what}`, () => JSON.stringify(kept()) === JSON.stringify(bare), 20_000);
  }
  for (const bytes of [outside, through]) {
    await load(await image(bytes, bytes));
    await remove('evil/one:1');
    assert.deepEqual(readdirSync('/').includes('gantry-outside'), false);
    assert.deepEqual(readdirSync('/tmp').includes('gantry-outside'), false);
  }
});

test('a load that dies with its daemon leaves nothing to be seen, and nothing on disk after the next start', async () => {
  const { archive } = await oldArchive('killed/one:1');
  const half = await archiveOf([file('one/layer.tar', await tarOf({ large: randomBytes(3_000_000) }))]);
  const names = async () => (await daemon.api('GET', '/images/json?all=1')).json;
  const before = await names();
  const sending = request({ socketPath: daemon.socket, method: 'POST', path: '/v1.51/images/load' });
  sending.on('error', () => {});
  // A whole layer, a part of another, and no end.
  sending.write(archive.subarray(0, archive.indexOf('config.json')));
  sending.write(half.subarray(0, 2_000_000));
  const arrived = () => {
    const now = kept();
    return now.blobs.length > bare.blobs.length && files('layers/passing').length === 2 && now.parts.length > 0;
  };
  await eventually('a layer and a half on disk', arrived, 20_000);
  assert.deepEqual(await names(), before);
  await daemon.crash();
  await daemon.launch();
  assert.deepEqual(await names(), before);
  await eventually('nothing stays', () => JSON.stringify(kept()) === JSON.stringify(bare), 20_000);
  assert.deepEqual(files('layers/passing'), []);
  assert.match((await load(archive)).text, /Loaded image: killed\/one:1/);
  await remove('killed/one:1');
});

test('a client that still sends its archive gets to read why it is refused', async () => {
  const archive = await tarOf({ large: randomBytes(5_000_000) });
  for (let round = 0; round < 5; round++) {
    const refused = await daemon.api('POST', '/images/create?fromSrc=-&changes=FROM%20x', archive);
    assert.deepEqual([refused.status, refused.json.message], [400, 'FROM is not a valid change command']);
  }
});

test('an image that was removed under its container goes with it, layers and all', async () => {
  const { archive } = await oldArchive('under/one:1');
  await load(archive);
  const { Id } = (await daemon.api('POST', '/containers/create', { Image: 'under/one:1', Cmd: ['x'] })).json;
  assert.equal((await remove('under/one:1')).status, 200);
  assert.notDeepEqual(kept().layers, bare.layers, 'the container stands on them');
  assert.equal((await daemon.api('DELETE', `/containers/${Id}`)).status, 204);
  await eventually('nothing stays', () => JSON.stringify(kept()) === JSON.stringify(bare), 10_000);
});

test('import takes a compressed file system from a URL, with changes and a message', async () => {
  const archive = gzipSync(await tarOf({ 'etc/motd': 'from afar' }));
  const server = createServer((_, response) => response.end(archive));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/root.tar.gz`;
    const id = (await daemon.ok('import', '-m', 'words', '-c', 'CMD ["x"]', url, 'imported:v1')).split('\n').at(-1);
    const image = await inspect('imported:v1');
    assert.equal(image.Id, id);
    assert.deepEqual([image.Config.Cmd, image.Comment], [['x'], 'words']);
    const { json } = await daemon.api('GET', '/images/imported:v1/history');
    const refused = await daemon.api('POST', '/images/create?fromSrc=http://127.0.0.1:1/x.tar');
    assert.equal(refused.status, 500);
    assert.match(
      refused.json.message,
      /^Get "http:\/\/127.0.0.1:1\/x.tar": dial tcp 127.0.0.1:1: connect: connection refused$/,
    );
    assert.equal(json.length, 1);
  } finally {
    server.close();
  }
  await remove('imported:v1');
});

test('removal says in Docker’s words what it did and what stands against it', async () => {
  const { archive, id } = await oldArchive('words/a:1');
  await load(archive);
  await daemon.ok('tag', 'words/a:1', 'words/b:1');
  const short = id.slice(7, 19);
  const refused = await daemon.api('DELETE', `/images/${id}`);
  assert.equal(refused.status, 409);
  assert.equal(
    refused.json.message,
    `conflict: unable to delete ${short} (must be forced) - image is referenced in multiple repositories`,
  );
  assert.deepEqual((await daemon.api('DELETE', '/images/words/b:1')).json, [{ Untagged: 'words/b:1' }]);
  const { Id } = (await daemon.api('POST', '/containers/create', { Image: 'words/a:1', Cmd: ['x'] })).json;
  const used = await daemon.api('DELETE', '/images/words/a:1');
  assert.equal(
    used.json.message,
    `conflict: unable to remove repository reference "words/a:1" (must force) - container ${Id.slice(0, 12)} is using its referenced image ${short}`,
  );
  assert.deepEqual((await daemon.api('POST', '/images/prune?filters={"dangling":["false"],"label":["none"]}')).json, {
    ImagesDeleted: null,
    SpaceReclaimed: 0,
  });
  await daemon.api('DELETE', `/containers/${Id}`);
  const gone = (await daemon.api('DELETE', '/images/words/a:1')).json;
  assert.deepEqual(gone.slice(0, 2), [{ Untagged: 'words/a:1' }, { Deleted: id }]);
  assert.equal(gone.length, 4);
  assert.equal((await daemon.api('DELETE', '/images/words/a:1')).json.message, 'No such image: words/a:1');
});

test('inspect tells where the layers of an image are', async () => {
  const path = '/images/create?fromSrc=-&repo=placed&tag=latest';
  await daemon.api('POST', path, await tarOf({ f: 'inside' }), { 'content-type': 'application/x-tar' });
  const { Data, Name } = (await daemon.api('GET', '/images/placed/json')).json.GraphDriver;
  assert.equal(Name, 'overlay2');
  assert.equal(readFileSync(join(Data.UpperDir, 'f'), 'utf8'), 'inside');
  assert.equal(Data.LowerDir, undefined);
  assert.equal(Data.MergedDir.startsWith(`${daemon.dataRoot}/layers/`), true);
  assert.equal(Data.WorkDir.startsWith(`${daemon.dataRoot}/layers/`), true);
  await remove('placed:latest');
});
