import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { isKind } from '../common/index.ts';
import { decompress } from './index.ts';

const text = Buffer.from('some text that repeats itself. '.repeat(20_000));
const program = (name: string) => (bytes: Buffer) => execFileSync(name, ['-c'], { input: bytes, maxBuffer: 2 ** 24 });
const ways: [string, (bytes: Buffer) => Buffer][] = [
  ['none', (bytes) => bytes],
  ['gzip', (bytes) => gzipSync(bytes)],
  ['zstd', (bytes) => zstdCompressSync(bytes)],
  ['bzip2', program('bzip2')],
  ['xz', program('xz')],
];
const pieces = (bytes: Buffer, step: number) =>
  Readable.from(
    Array.from({ length: Math.ceil(bytes.length / step) }, (_, at) => bytes.subarray(at * step, (at + 1) * step)),
  );
async function expand(bytes: Buffer, options: Parameters<typeof decompress>[1] = {}, step = 1000) {
  const { compression, stream } = await decompress(pieces(bytes, step), options);
  return { compression, bytes: Buffer.concat(await Array.fromAsync(stream)) };
}

for (const [name, compress] of ways) {
  test(`${name} is seen by its first bytes and undone`, async () => {
    for (const step of [1, 1000]) {
      const found = await expand(compress(text.subarray(0, step * 500)), {}, step);
      assert.equal(found.compression, name);
      assert.ok(found.bytes.equals(text.subarray(0, step * 500)));
    }
  });
  if (name === 'none') continue;
  test(`a ${name} stream that is cut short is refused`, async () => {
    const whole = compress(text);
    for (const left of [8, Math.floor(whole.length / 2), whole.length - 3])
      await assert.rejects(expand(whole.subarray(0, left)), (error) => isKind(error, 'invalid'));
  });
  test(`a damaged ${name} stream is refused`, async () => {
    const damaged = Buffer.from(compress(text));
    const middle = Math.floor(damaged.length / 2);
    damaged.fill(0x55, middle, middle + 8);
    await assert.rejects(expand(damaged), (error) => isKind(error, 'invalid'));
  });
  test(`unpacking ${name} ends when it is cancelled`, async () => {
    const abort = new AbortController();
    const endless = Readable.from(
      (async function* () {
        yield compress(text).subarray(0, 60);
        await new Promise(() => {});
      })(),
    );
    const { stream } = await decompress(endless, { signal: abort.signal });
    setImmediate(() => abort.abort());
    await assert.rejects(Array.fromAsync(stream), (error) => isKind(error, 'cancelled'));
  });
}

test('an empty stream is plain and empty', async () => {
  assert.deepEqual(await expand(Buffer.alloc(0)), { compression: 'none', bytes: Buffer.alloc(0) });
});

test('several gzip members and zstd frames are one stream', async () => {
  for (const compress of [gzipSync, zstdCompressSync])
    assert.equal((await expand(Buffer.concat([compress(text), compress(text)]))).bytes.length, 2 * text.length);
});

test('a bomb is refused by size and by ratio', async () => {
  const bomb = gzipSync(Buffer.alloc(10_000_000));
  await assert.rejects(expand(bomb, { maxBytes: 1_000_000 }), /more than the 1000000 bytes/);
  await assert.rejects(expand(bomb, { maxRatio: 100, ratioFloorBytes: 1_000_000 }), /bomb/);
  assert.equal((await expand(bomb)).bytes.length, 10_000_000);
});
