import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import { gzip } from './gzip.ts';

async function* pieces(bytes: Buffer, length: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length);
}
const packed = async (bytes: Buffer, length = 100_000) =>
  Buffer.concat(await Array.fromAsync(gzip(pieces(bytes, length), { level: 4 })));

test('what is packed in blocks side by side is one gzip stream that everybody reads', async () => {
  const text = Buffer.from('a line that comes again and again\n'.repeat(200_000));
  const noise = randomBytes(3_000_000);
  for (const bytes of [
    Buffer.alloc(0),
    Buffer.from('x'),
    text.subarray(0, 512 * 1024),
    Buffer.concat([text, noise, text]),
  ]) {
    const result = await packed(bytes);
    assert.equal(gunzipSync(result).equals(bytes), true);
    assert.equal(execFileSync('gzip', ['-dc'], { input: result, maxBuffer: 1e9 }).equals(bytes), true);
  }
});

test('it is the same however the bytes come, and not much longer than in one piece', async () => {
  const text = Buffer.from(Array.from({ length: 300_000 }, (_, line) => `line ${line * 7919}\n`).join(''));
  const result = await packed(text);
  assert.equal(result.equals(await packed(text, 7777)), true);
  assert.ok(result.length < gzipSync(text, { level: 4 }).length * 1.02);
});

test('a source that fails fails the stream', async () => {
  async function* broken(): AsyncGenerator<Buffer> {
    yield Buffer.alloc(2_000_000);
    throw new Error('gone');
  }
  await assert.rejects(Array.fromAsync(gzip(broken(), { level: 4 })), /gone/);
});
