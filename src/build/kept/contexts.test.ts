import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { after, beforeEach, test } from 'node:test';
import { KeptContexts } from './contexts.ts';

const scratch = mkdtempSync(join(tmpdir(), 'gt-kept-'));
after(() => rmSync(scratch, { recursive: true }));

let directory: string;
let contexts: KeptContexts;
beforeEach(async () => {
  directory = mkdtempSync(join(scratch, 'c-'));
  contexts = await KeptContexts.open(directory);
});

const LARGE = 'x'.repeat(100_000);
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const signal = new AbortController().signal;

type Entry = [kind: string, ...rest: unknown[]];
const file = (path: string, text: string, { mode = 0o644, mtime = 1, stamp = text.slice(0, 9) } = {}): Entry => [
  'f',
  path,
  mode,
  mtime,
  text.length,
  stamp,
];

/** `sent`: place in the list → text, or `{ digest }`. */
function body(
  list: readonly Entry[],
  sent: Record<number, string | { digest: string }> = {},
  context = 'here',
): Buffer {
  const listed = JSON.stringify(list);
  const head = { context, dockerfile: { name: 'Dockerfile', text: 'FROM x' }, listBytes: Buffer.byteLength(listed) };
  const parts = Object.entries(sent).map(([place, what]) =>
    typeof what === 'string'
      ? `${JSON.stringify({ file: Number(place), size: what.length })}\n${what}`
      : `${JSON.stringify({ file: Number(place), ...what })}\n`,
  );
  return Buffer.from(`${JSON.stringify(head)}\n${listed}${parts.join('')}`);
}
/** In pieces that end anywhere. */
function* pieces(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += 777) yield bytes.subarray(at, at + 777);
}
const receive = (...args: Parameters<typeof body>) => contexts.receive(Readable.from(pieces(body(...args))), signal);
async function missing(...args: Parameters<typeof body>): Promise<unknown> {
  const answer = await receive(...args);
  assert.ok('missing' in answer);
  return answer.missing;
}
async function opened(...args: Parameters<typeof body>) {
  const answer = await receive(...args);
  assert.ok('context' in answer, JSON.stringify(answer));
  return answer.context;
}

test('what is missing is asked for once, and what changed later', async () => {
  const list: Entry[] = [['d', 'a', 0o750, 7], file('a/one', 'first', { mode: 0o600, mtime: 5 }), file('two', LARGE)];
  assert.deepEqual(await missing(list), { contents: [1, 2], digests: [] });
  assert.deepEqual(readdirSync(directory), [], 'a list alone changes nothing');
  const { root, digestOf, end } = await opened(list, { 1: 'first', 2: LARGE });
  assert.equal(readFileSync(join(root, 'a/one'), 'utf8'), 'first');
  const [a, one] = [lstatSync(join(root, 'a')), lstatSync(join(root, 'a/one'))];
  assert.deepEqual([a.mode & 0o7777, a.mtimeMs, one.mode & 0o7777, one.mtimeMs], [0o750, 7000, 0o600, 5000]);
  assert.equal(digestOf(Buffer.from(join(root, 'two'))), sha256(LARGE));
  end();
  (await opened(list)).end();

  // Touched: the small one is sent again, of the large one the digest does.
  const touched: Entry[] = [
    list[0]!,
    file('a/one', 'first', { stamp: 'n' }),
    file('two', LARGE, { mtime: 9, stamp: 'n' }),
  ];
  assert.deepEqual(await missing(touched), { contents: [1], digests: [2] });
  (await opened(touched, { 1: 'first', 2: { digest: sha256(LARGE) } })).end();
  assert.equal(lstatSync(join(root, 'two')).mtimeMs, 9000);

  const other = LARGE.replaceAll('x', 'y');
  const changed: Entry[] = [...touched.slice(0, 2), file('two', other)];
  assert.deepEqual(await missing(changed), { contents: [], digests: [2] });
  assert.deepEqual(await missing(changed, { 2: { digest: sha256(other) } }), { contents: [2], digests: [] });
  (await opened(changed, { 2: other })).end();
  assert.equal(readFileSync(join(root, 'two'), 'utf8'), other);
});

test('an empty stamp says nothing', async () => {
  const list = [file('a', 'one', { stamp: '' })];
  (await opened(list, { 0: 'one' })).end();
  assert.deepEqual(await missing([file('a', 'two', { stamp: '' })]), { contents: [0], digests: [] });
});

test('things become other things', async () => {
  (
    await opened([['d', 'a', 0o755, 1], file('a/b', 'text'), ['l', 'c', 1, 'a'], file('d', 'text')], {
      1: 'text',
      3: 'text',
    })
  ).end();
  const { root, end } = await opened(
    [['l', 'a', 3, '/etc'], ['d', 'c', 0o700, 4], file('c/x', 'new'), ['d', 'd', 0o711, 5]],
    { 2: 'new' },
  );
  assert.equal(readlinkSync(join(root, 'a')), '/etc');
  assert.equal(lstatSync(join(root, 'a')).mtimeMs, 3000);
  assert.deepEqual([readdirSync(join(root, 'c')), lstatSync(join(root, 'c')).mtimeMs], [['x'], 4000]);
  assert.deepEqual([readdirSync(join(root, 'd')), lstatSync(join(root, 'd')).mode & 0o7777], [[], 0o711]);
  end();
});

test('names and link targets are bytes', async () => {
  const { root, end } = await opened([['l', 'l\u00ff', 1, '\u00fe'], file('n\u00e9', 'text')], { 1: 'text' });
  const names = readdirSync(root, { encoding: 'latin1' });
  assert.deepEqual(names.sort(), ['l\u00ff', 'n\u00e9']);
  end();
});

test('what came of a body that broke off is kept', async () => {
  const list = [file('a', 'one'), file('b', LARGE)];
  const cut = body(list, { 0: 'one', 1: LARGE }).subarray(0, -10);
  await assert.rejects(contexts.receive(Readable.from([cut]), signal), { kind: 'invalid' });
  assert.deepEqual(await missing(list), { contents: [1], digests: [] });
  contexts = await KeptContexts.open(directory);
  const { root, end } = await opened(list, { 1: LARGE });
  assert.deepEqual(readdirSync(root).sort(), ['a', 'b']);
  end();
});

test('contexts outlive the daemon, but not a change that was under way or a restart of the machine', async () => {
  const list = [file('a', LARGE)];
  for (const name of ['whole', 'changing', 'other boot']) (await opened(list, { 0: LARGE }, name)).end();
  const about = (name: string) => join(directory, sha256(name), 'about.json');
  rmSync(about('changing'));
  writeFileSync(about('other boot'), readFileSync(about('other boot'), 'utf8').replace(/"boot":"[^"]*"/, '"boot":"x"'));
  mkdirSync(join(directory, 'left'));
  contexts = await KeptContexts.open(directory);
  assert.deepEqual(readdirSync(directory), [sha256('whole')]);
  const { digestOf, root, end } = await opened(list, {}, 'whole');
  assert.equal(digestOf(Buffer.from(join(root, 'a'))), sha256(LARGE));
  end();
});

test('a context is not changed or removed under a build', async () => {
  const list = [file('a', 'one')];
  const first = await opened(list, { 0: 'one' });
  const second = await opened(list);
  await assert.rejects(receive([file('a', 'two')]), { kind: 'conflict' });
  const [record] = await contexts.records();
  assert.deepEqual([record?.inUse, record?.bytes, record?.uses], [true, 3, 2]);
  const remove = () => contexts.remove([record!.id]);
  assert.deepEqual(await remove(), []);
  first.end();
  first.end();
  assert.deepEqual(await remove(), []);
  second.end();
  assert.deepEqual(await remove(), [record!.id]);
  assert.equal(existsSync(first.root), false);
  assert.deepEqual(await contexts.records(), []);
});

test('a file of another size than listed is refused', async () => {
  await assert.rejects(receive([file('a', 'one')], { 0: 'three' }), { kind: 'invalid' });
  await assert.rejects(receive([['d', 'a', 0o755, 1]], { 0: '' }), { kind: 'invalid' });
});
