import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { hasDockerCli, TestDaemon } from '../support/index.ts';

let daemon: TestDaemon;
let scratch: string;
let counter: Server;
let sentBytes = 0;

before(async () => {
  daemon = await TestDaemon.start();
  scratch = mkdtempSync(join(tmpdir(), 'gt-files-'));
  counter = createServer({ allowHalfOpen: true }, (client) => {
    const there = connect({ path: daemon.socket, allowHalfOpen: true });
    client.on('data', (chunk) => {
      sentBytes += chunk.length;
    });
    for (const side of [client, there]) side.on('error', () => [client, there].map((each) => each.destroy()));
    client.pipe(there).pipe(client);
  });
  await new Promise<void>((done) => counter.listen(join(scratch, 'socket'), done));
});
after(async () => {
  counter.close();
  rmSync(scratch, { recursive: true, force: true });
  await daemon[Symbol.asyncDispose]();
});

/** Id of the image, and what the client sent. */
async function build(context: string, ...args: string[]): Promise<{ id: string; sent: number }> {
  sentBytes = 0;
  const env = { DOCKER_HOST: `unix://${join(scratch, 'socket')}` };
  const { code, stdout, stderr } = await daemon.gantry(['build', '-q', ...args, context], { env });
  assert.equal(code, 0, stderr);
  return { id: stdout.trim(), sent: sentBytes };
}

function makeContext(name: string, dockerfile: string): string {
  const context = join(scratch, name);
  mkdirSync(context);
  writeFileSync(join(context, 'Dockerfile'), dockerfile);
  return context;
}

const MB = 2 ** 20;

test('directories above what an ignore file lets in come too, with their modes', async () => {
  const context = makeContext('let-in', 'FROM busybox\nCOPY . /all\n');
  writeFileSync(join(context, '.dockerignore'), '*\n!d/e/x\n!f/*.txt\n');
  mkdirSync(join(context, 'd/e'), { recursive: true });
  for (const name of ['f', 'g']) mkdirSync(join(context, name));
  for (const name of ['d/e/x', 'd/e/y', 'd/z', 'f/n', 'g/x']) writeFileSync(join(context, name), name);
  chmodSync(join(context, 'd'), 0o711);
  for (const args of [[], ['--compress']]) {
    const { id } = await build(context, '--no-cache', ...args);
    const tree = await daemon.ok('run', '--rm', id, 'sh', '-c', 'cd /all && find . | sort && stat -c %a d');
    assert.equal(tree, './d\n./d/e\n./d/e/x\n711'.replace(/^/, '.\n'), args.join());
  }
});

test('only changed files travel again', async () => {
  const context = makeContext('large', 'FROM busybox\nCOPY . /all\n');
  mkdirSync(join(context, 'd'));
  const large = join(context, 'd/large');
  writeFileSync(large, Buffer.alloc(8 * MB, 'a'));
  writeFileSync(join(context, 'd/small'), 'one');
  const first = await build(context);
  assert.ok(first.sent > 8 * MB, `${first.sent}`);
  const again = await build(context);
  assert.deepEqual([again.id, again.sent < 10_000], [first.id, true], `${again.sent}`);

  utimesSync(large, 1, 1);
  const touched = await build(context);
  assert.deepEqual([touched.id, touched.sent < 10_000], [first.id, true], `${touched.sent}`);

  writeFileSync(join(context, 'd/small'), 'two');
  const changed = await build(context, '-t', 'changed');
  assert.ok(changed.id !== first.id && changed.sent < 10_000, `${changed.sent}`);
  assert.equal(await daemon.ok('run', '--rm', 'changed', 'cat', '/all/d/small'), 'two');

  writeFileSync(large, Buffer.alloc(8 * MB, 'b'));
  await build(context, '-t', 'changed');
  assert.equal(await daemon.ok('run', '--rm', 'changed', 'head', '-c2', '/all/d/large'), 'bb');

  await daemon.crash();
  await daemon.launch();
  const afterCrash = await build(context, '-t', 'changed');
  assert.ok(afterCrash.sent < 10_000, `${afterCrash.sent}`);
});

test('the daemon sees the same files as in a tar', { skip: !hasDockerCli }, async () => {
  const context = makeContext('kinds', 'FROM busybox\nCOPY . /all\nRUN find /all | sort\n');
  writeFileSync(join(context, '.dockerignore'), '**/no\nDockerfile*\n!keep/no\n');
  for (const name of ['keep', 'empty', 'other']) mkdirSync(join(context, name));
  for (const name of ['no', 'keep/no', 'other/no', 'other/\u00e9', 'other/x'])
    writeFileSync(join(context, name), `text of ${name}`);
  chmodSync(join(context, 'other/x'), 0o4711);
  chmodSync(join(context, 'empty'), 0o1777);
  symlinkSync('../keep/no', join(context, 'other/link'));
  symlinkSync('/nowhere', join(context, 'dangling'));
  execFileSync('sh', ['-c', 'echo text > "$(printf "other/\\377")"'], { cwd: context });
  const classic = await daemon.docker(['build', '-q', context]);
  assert.equal(classic.code, 0, classic.stderr);
  // From the cache: so the contents are the same.
  const { id } = await build(context, '-t', 'kinds');
  assert.equal(id, classic.stdout.trim());
  assert.equal(
    await daemon.ok(
      'run',
      '--rm',
      'kinds',
      'sh',
      '-c',
      'cd /all; ls -A; ls keep; stat -c %a other/x empty; ls -l other/link',
    ),
    (
      await daemon.docker([
        'run',
        '--rm',
        id,
        'sh',
        '-c',
        'cd /all; ls -A; ls keep; stat -c %a other/x empty; ls -l other/link',
      ])
    ).stdout.trim(),
  );
  assert.equal(
    await daemon.ok('run', '--rm', 'kinds', 'ls', '-A', '/all'),
    '.dockerignore\ndangling\nempty\nkeep\nother',
  );
});

test('Dockerfiles from elsewhere are no part of the context', async () => {
  const context = makeContext('elsewhere', 'FROM busybox\nRUN false\n');
  const text = 'FROM busybox\nCOPY . /all\n';
  writeFileSync(join(scratch, 'Outside'), text);
  writeFileSync(join(scratch, 'Outside.dockerignore'), 'Dockerfile\n');
  writeFileSync(join(context, 'data'), '');
  await build(context, '-t', 'outside', '-f', join(scratch, 'Outside'));
  assert.equal(await daemon.ok('run', '--rm', 'outside', 'ls', '-A', '/all'), 'data');
  const piped = await daemon.gantry(['build', '-t', 'piped', '-f', '-', context], { input: text });
  assert.equal(piped.code, 0, piped.stderr);
  assert.equal(await daemon.ok('run', '--rm', 'piped', 'ls', '-A', '/all'), 'Dockerfile\ndata');
});

test('a build does not see what changes after its start, and another one of it need not wait', async () => {
  const context = makeContext('moving', 'FROM busybox\nRUN sleep 3\nCOPY data /\n');
  writeFileSync(join(context, 'data'), 'before');
  const first = build(context, '-t', 'moving:1');
  await new Promise((done) => setTimeout(done, 1500));
  writeFileSync(join(context, 'data'), 'after!');
  writeFileSync(join(context, 'Dockerfile'), 'FROM busybox\nCOPY data /\n');
  await build(context, '-t', 'moving:2');
  await first;
  assert.equal(await daemon.ok('run', '--rm', 'moving:1', 'cat', '/data'), 'before');
  assert.equal(await daemon.ok('run', '--rm', 'moving:2', 'cat', '/data'), 'after!');
});

test('directories and cache mounts are parts of the build cache', async () => {
  const context = makeContext(
    'counted',
    'FROM busybox\nRUN --mount=type=cache,target=/c head -c 5000 /dev/zero > /c/f\n',
  );
  writeFileSync(join(context, 'data'), 'x'.repeat(3000));
  await build(context);
  type Rows = { ID: string; Type: string; Size: number; Description: string }[];
  const rows = async () => (await daemon.api('GET', '/system/df?type=build-cache')).json.BuildCache as Rows;
  const kept = (await rows()).find(({ Description }) => Description.endsWith(`${context}:`));
  const mount = (await rows()).find(({ Type }) => Type === 'exec.cachemount');
  assert.ok(kept?.Type === 'source.local' && kept.Size > 3000, JSON.stringify(kept));
  assert.equal(mount?.Size, 5000);
  for (const filter of [`id=${kept.ID}`, 'type=exec.cachemount']) {
    const pruned = await daemon.ok('builder', 'prune', '-f', '--filter', filter);
    assert.match(pruned, filter.startsWith('id') ? /3\.\d+kB/ : /5kB/, filter);
  }
  assert.ok((await rows()).every(({ ID }) => ID !== kept.ID && ID !== mount?.ID));
  assert.ok((await build(context)).sent > 3000);
});

test('a list that would lead out is refused', async () => {
  const list = JSON.stringify([
    ['l', 'a', 0, '/etc'],
    ['f', 'a/passwd', 0o644, 0, 0, ''],
  ]);
  const head = { context: 'evil', dockerfile: { name: 'Dockerfile', text: 'FROM busybox' }, listBytes: list.length };
  const answer = await daemon.api('POST', '/build/files', `${JSON.stringify(head)}\n${list}`);
  assert.equal(answer.status, 400, answer.text);
});
