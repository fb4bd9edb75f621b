import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  ftruncateSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { isKind } from '../common/index.ts';
import { byteName, looksLikeArchive, readTar, type TarHeader, textOf, writeTar } from './index.ts';
import { formatPaxTime, parsePaxTime, readNumber } from './numbers.ts';
import { encodePax, parsePax } from './pax.ts';

const whole = async (source: AsyncIterable<Uint8Array>): Promise<Buffer> =>
  Buffer.concat(await Array.fromAsync(source));
async function entries(bytes: Buffer, step = bytes.length) {
  const found: { header: TarHeader; body: Buffer }[] = [];
  const chunks = Array.from({ length: Math.ceil(bytes.length / step) }, (_, index) =>
    bytes.subarray(index * step, (index + 1) * step),
  );
  for await (const { header, body } of readTar(Readable.from(chunks))) found.push({ header, body: await whole(body) });
  return found;
}

const numbers: [string, number[], number][] = [
  ['octal with a NUL', [0x30, 0x30, 0x31, 0x37, 0], 15],
  ['octal led by spaces', [0x20, 0x20, 0x37, 0x20, 0], 7],
  ['nothing at all', [0, 0, 0, 0, 0], 0],
  ['base-256', [0x80, 0, 0, 1, 0], 256],
  ['negative base-256', [0xff, 0xff, 0xff, 0xff, 0xfb], -5],
];
for (const [what, bytes, value] of numbers)
  test(`a header number is read: ${what}`, () => assert.equal(readNumber(Buffer.from(bytes), 0, 5), value));

test('a header number that is none is refused', () => {
  assert.throws(
    () => readNumber(Buffer.from('12x4\0'), 0, 5),
    (error) => isKind(error, 'invalid'),
  );
  assert.throws(
    () => readNumber(Buffer.from(`\x80${'\xff'.repeat(11)}`, 'latin1'), 0, 12),
    (error) => isKind(error, 'invalid'),
  );
});

for (const text of ['0', '1', '-1', '1.5', '-1.5', '1234567890.123456789', '-0.000000001', '-62135596800'])
  test(`the PAX time ${text} survives reading and writing`, () =>
    assert.equal(formatPaxTime(parsePaxTime(text)), text));

test('a PAX record counts its own length, also where that adds a digit', () => {
  for (let length = 80; length < 110; length++) {
    const records = [['k', 'v'.repeat(length)] as const, ['other', 'a=b\nc'] as const];
    assert.deepEqual(parsePax(encodePax(records)), records);
  }
});
for (const bad of ['5 a=b\n', '99 a=b\n', 'x a=b\n', '6 abc\n', '6 a=bc'])
  test(`the malformed PAX record ${JSON.stringify(bad)} is refused`, () =>
    assert.throws(
      () => parsePax(Buffer.from(bad)),
      (error) => isKind(error, 'invalid'),
    ));

const time = { seconds: 1_000_000_000, nanoseconds: 0 };
const plain: TarHeader = { name: 'f', type: 'file', mode: 0o644, uid: 1, gid: 2, size: 0, mtime: time };
const headers: [string, Partial<TarHeader>][] = [
  ['a plain file', {}],
  ['set-id bits', { mode: 0o6755 }],
  ['a name of 100 bytes', { name: 'n'.repeat(100) }],
  ['a name split by ustar', { name: `${'d'.repeat(100)}/${'n'.repeat(99)}` }],
  ['a very long name', { name: `${'d/'.repeat(700)}n` }],
  ['a name in UTF-8', { name: byteName('Grüße/日本') }],
  ['a name that is not UTF-8', { name: 'a\xff\xfe' }],
  ['large ids', { uid: 3_000_000, gid: 4_000_000_000 }],
  ['nanoseconds', { mtime: { seconds: 5, nanoseconds: 123_456_789 } }],
  ['a time before the epoch', { mtime: { seconds: -5, nanoseconds: 500_000_000 } }],
  ['a time past the octal field', { mtime: { seconds: 2 ** 34, nanoseconds: 0 } }],
  ['a symbolic link', { type: 'symlink', linkName: '../x' }],
  ['a long symbolic link', { type: 'symlink', linkName: 'x'.repeat(300) }],
  ['a hard link', { type: 'hardlink', linkName: byteName('ü') }],
  ['a device', { type: 'block', deviceMajor: 8, deviceMinor: 1025 }],
  ['a fifo', { type: 'fifo' }],
  ['a directory', { type: 'dir', name: 'd/' }],
  ['attributes of any bytes', { xattrs: new Map([['security.capability', Buffer.from([1, 0, 0xff, 0x0a])]]) }],
  ['owner names', { userName: byteName('jürgen'), groupName: 'staff' }],
];
for (const [what, header] of headers)
  test(`a header survives writing and reading: ${what}`, async () => {
    const given = { ...plain, ...header };
    const [found] = await entries(await whole(writeTar([{ header: given }])));
    for (const [key, value] of Object.entries(given))
      assert.deepEqual(found?.header[key as keyof TarHeader], value, key);
  });

test('contents survive whatever the size of chunks', async () => {
  const bodies = [0, 1, 511, 512, 513, 5000].map((size) => Buffer.alloc(size, 'x'));
  const bytes = await whole(writeTar(bodies.map((body, index) => ({ header: { name: `f${index}` }, body }))));
  for (const step of [1, 7, 512, 513, 4096])
    assert.deepEqual(
      (await entries(bytes, step)).map(({ body }) => body),
      bodies,
    );
});

test('a body that is not read is skipped, and one read too late is refused', async () => {
  const bytes = await whole(writeTar(['a', 'b', 'c'].map((name) => ({ header: { name }, body: Buffer.from(name) }))));
  const names: string[] = [];
  let first: AsyncIterable<Buffer> | undefined;
  for await (const { header, body } of readTar(Readable.from([bytes]))) {
    names.push(header.name);
    first ??= body;
    if (header.name === 'b') assert.equal((await whole(body)).toString(), 'b');
    if (header.name === 'c') await assert.rejects(whole(first), /after the next entry/);
  }
  assert.deepEqual(names, ['a', 'b', 'c']);
});

test('a body shorter or longer than announced is refused', async () => {
  const body = Readable.from([Buffer.from('abc')]);
  await assert.rejects(whole(writeTar([{ header: { name: 'f', size: 4 }, body }])), /3 bytes where 4/);
  const more = Readable.from([Buffer.from('abc')]);
  await assert.rejects(whole(writeTar([{ header: { name: 'f', size: 2 }, body: more }])), /more bytes/);
});

test('a wrong checksum, an unknown type and a lone zero block are refused', async () => {
  const bytes = await whole(writeTar([{ header: { name: 'f' }, body: Buffer.from('x') }, { header: { name: 'g' } }]));
  const damaged = Buffer.from(bytes);
  damaged[0] = 0x67;
  await assert.rejects(entries(damaged), /checksum/);
  const zero = Buffer.concat([bytes.subarray(0, 1024), Buffer.alloc(512), bytes.subarray(1024)]);
  await assert.rejects(entries(zero), /zero block/);
});

test('an archive cut anywhere is refused or read as far as it goes, and never hangs', async () => {
  const items = [
    ...headers.map(([, header]) => ({ header: { ...plain, ...header } })),
    { header: { name: 'z' }, body: Buffer.alloc(700) },
  ];
  const bytes = await whole(writeTar(items));
  for (let length = 0; length < bytes.length; length += 97)
    await entries(bytes.subarray(0, length)).catch((error) => assert.ok(isKind(error, 'invalid'), String(error)));
});

test('an archive may lack what fills up its last block, as those that Docker’s command line changes', async () => {
  const bytes = await whole(writeTar([{ header: { name: 'a' }, body: Buffer.alloc(700, 'x') }]));
  const cut = bytes.subarray(0, 512 + 700);
  const [found] = await entries(cut);
  assert.equal(found?.body.length, 700);
  await assert.rejects(entries(cut.subarray(0, -1)), /unexpected end/);
});

test('archives are known by their first block', async () => {
  const bytes = await whole(writeTar([{ header: { name: 'a' }, body: Buffer.from('abc') }]));
  assert.equal(looksLikeArchive(bytes), true);
  assert.equal(looksLikeArchive(gzipSync(bytes)), true);
  assert.equal(looksLikeArchive(bytes.subarray(0, 511)), false);
  assert.equal(looksLikeArchive(Buffer.from(`FROM busybox\n${'# comment\n'.repeat(100)}`)), false);
  assert.equal(looksLikeArchive(Buffer.alloc(0)), false);
});

test('an archive with any byte changed is read or refused as invalid', async () => {
  const bytes = await whole(writeTar(headers.map(([, header]) => ({ header: { ...plain, ...header } }))));
  for (let at = 0; at < bytes.length; at += 61) {
    const damaged = Buffer.from(bytes);
    damaged[at] = (damaged[at]! + 1 + (at % 254)) & 0xff;
    await entries(damaged).catch((error) => assert.ok(isKind(error, 'invalid'), String(error)));
  }
});

test('archives of GNU tar are read: long names, sparse files of all formats, v7, ustar, pax', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'gt-tar-'));
  t.after(() => rmSync(dir, { recursive: true }));
  const sparse = Buffer.alloc(3_000_000);
  mkdirSync(join(dir, 'in'));
  const fd = openSync(join(dir, 'in/sparse'), 'w');
  ftruncateSync(fd, sparse.length);
  // Enough pieces for an extension block of the old format.
  for (let at = 0; at < 30; at++) {
    sparse.write(`piece ${at}`, at * 65536);
    writeSync(fd, `piece ${at}`, at * 65536);
  }
  closeSync(fd);
  const long = `${'long-name-'.repeat(15)}x`;
  for (const [format, ...flags] of [
    ['gnu', '-S'],
    ['pax', '-S', '--sparse-version=0.0'],
    ['pax', '-S', '--sparse-version=0.1'],
    ['pax', '-S', '--sparse-version=1.0'],
    ['v7'],
    ['ustar'],
  ]) {
    const named = flags.length > 0;
    writeFileSync(join(dir, 'in', long), 'long');
    const archive = join(dir, 'a.tar');
    const names = named ? ['sparse', long] : ['sparse'];
    execFileSync('tar', ['-C', join(dir, 'in'), `--format=${format}`, ...flags, '-cf', archive, ...names]);
    const found = await entries(readFileSync(archive), 1000);
    assert.deepEqual(
      found.map(({ header }) => textOf(header.name)),
      names,
      `${format} ${flags}`,
    );
    assert.ok(found[0]?.body.equals(sparse), `${format} ${flags}`);
    assert.equal(found[0]?.header.size, sparse.length);
  }
});
