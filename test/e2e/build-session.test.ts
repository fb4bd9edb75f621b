import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, test } from 'node:test';
import { BuildSession } from '../../src/build/session.ts';
import { eventually, execute, TestDaemon } from '../support/index.ts';

let daemon: TestDaemon;
let place: string;
before(async () => {
  daemon = await TestDaemon.start();
  place = mkdtempSync(join(daemon.root, 'contexts-'));
});
after(async () => {
  rmSync(place, { recursive: true });
  await daemon[Symbol.asyncDispose]();
});

const SECRET = 'hunter2-long-enough-to-find';

async function build(dockerfile: string, args: readonly string[], env: Record<string, string> = {}) {
  const directory = mkdtempSync(join(place, 'c-'));
  mkdirSync(join(directory, 'context'));
  writeFileSync(join(directory, 'secret'), SECRET);
  writeFileSync(join(directory, 'context/Dockerfile'), dockerfile);
  const given = args.map((arg) => arg.replace('DIR', directory));
  const outcome = await daemon.gantry(['build', '--progress=plain', ...given, join(directory, 'context')], { env });
  rmSync(directory, { recursive: true });
  return outcome;
}

test('a secret is a file or a variable of its command alone, and stays nowhere', async () => {
  const outcome = await build(
    [
      'FROM busybox',
      'RUN --mount=type=secret,id=s,required cat /run/secrets/s | wc -c; stat -c "mode %a %u" /run/secrets/s',
      'RUN --mount=type=secret,id=s,target=/w/t,mode=444,uid=7,env=S stat -c "mode %a %u" /w/t; echo length ${#S}; [ ! -e /run/secrets/s ]',
      'RUN --mount=type=secret,id=e,env=E [ ! -e /run/secrets/e ] && echo "length ${#E}"',
      'RUN --mount=type=secret,id=other [ ! -e /run/secrets/other ] && [ ! -e /w ]; [ -z "$S" ] && echo optional',
    ].join('\n'),
    ['-t', 'secrets', '--secret', 'id=s,src=DIR/secret', '--secret', 'id=e,env=VALUE'],
    { VALUE: SECRET },
  );
  assert.equal(outcome.code, 0, outcome.stderr);
  const text = outcome.stdout + outcome.stderr;
  assert.match(text, /27\nmode 400 0\n[\s\S]*mode 444 7\nlength 27\n[\s\S]*length 27\n[\s\S]*optional\n/);
  assert.doesNotMatch(text, new RegExp(SECRET));
  const found = await execute('grep', ['-rl', SECRET, daemon.dataRoot, daemon.execRoot, daemon.logFile]);
  assert.equal(found.stdout, '');
  assert.deepEqual(readdirSync(join(daemon.execRoot, 'build')), []);
});

test('a secret in a variable is its daemon’s to read while the command runs, and gone after a crash', async () => {
  const running = build('FROM busybox\nRUN --mount=type=secret,id=s,env=S [ -n "$S" ] && exec sleep 300\n', [
    '--secret',
    'id=s,src=DIR/secret',
  ]);
  const holding = async () =>
    (await execute('grep', ['-rl', SECRET, daemon.dataRoot, daemon.execRoot, daemon.logFile])).stdout
      .split('\n')
      .filter(Boolean);
  const files = await eventually('the command runs', async () => {
    const found = await holding();
    return found.length > 0 && found;
  });
  // The bundle, and the runtime's copy of it.
  for (const file of files) assert.equal(statSync(file).mode & 0o077, 0, file);
  await daemon.crash();
  assert.notEqual((await running).code, 0);
  await daemon.launch();
  await eventually('nothing of the secret', async () => (await holding()).length === 0);
});

test('a secret that is required and not given ends the build, and so does a wrong mount', async () => {
  for (const [mount, words] of [
    ['type=secret,id=none,required', /secret none: not found/],
    ['type=ssh,required=true', /unset ssh forward key default/],
    ['type=secret,id=x,sharing=locked', /unexpected key 'sharing'/],
    ['type=secret', /one of source, target required/],
  ] as const) {
    const { code, stderr } = await build(`FROM busybox\nRUN --mount=${mount} true`, []);
    assert.equal(code, 1);
    assert.match(stderr, words);
  }
});

test('a secret that is too big, or not there, is refused before the build', async () => {
  const big = join(place, 'big');
  writeFileSync(big, Buffer.alloc(500 * 1024 + 1));
  assert.match((await build('FROM busybox', ['--secret', `id=b,src=${big}`])).stderr, /too big\. max size 500KB/);
  assert.match((await build('FROM busybox', ['--secret', 'id=b,src=/nope'])).stderr, /no such file/);
  assert.match((await build('FROM busybox', ['--secret', 'id=b,sorc=x'])).stderr, /unexpected key 'sorc'/);
});

test('a command that asks for the SSH agent finds its socket, others do not', async () => {
  const path = join(place, 'agent');
  const agent = createServer((caller) => caller.end('agent speaks\n'));
  await new Promise<void>((done) => agent.listen(path, done));
  const { code, stdout, stderr } = await build(
    'FROM busybox\nRUN --mount=type=ssh,uid=5 echo "$SSH_AUTH_SOCK"; [ -S "$SSH_AUTH_SOCK" ] && stat -c "mode %a %u" $SSH_AUTH_SOCK\nRUN [ -z "$SSH_AUTH_SOCK" ] && [ ! -e /run/buildkit ]',
    ['--ssh', 'default'],
    { SSH_AUTH_SOCK: path },
  );
  assert.equal(code, 0, stdout + stderr);
  assert.match(stdout + stderr, /\/run\/buildkit\/ssh_agent\.0\nmode 600 5\n/);
  assert.match((await build('FROM busybox', ['--ssh', 'default=DIR/secret'])).stderr, /is not a socket/);
  assert.match((await build('FROM busybox', ['--ssh', 'default'], { SSH_AUTH_SOCK: '' })).stderr, /SSH_AUTH_SOCK/);

  const session = new BuildSession(join(place, 'sessions'), new Map(), new Map([['default', path]]));
  const lent = await session.agentSocket('default', true, { mode: 0o600, uid: 0, gid: 0 });
  assert.equal(await text(connect(lent ?? '').end()), 'agent speaks\n');
  session.close();
  agent.close();
});

test('outputs are files of the image, archives, or standard output, and leave no image without a name', async () => {
  const dockerfile = 'FROM scratch\nCOPY Dockerfile /a/b';
  const nameless = () => daemon.ok('images', '-q', '--filter', 'dangling=true');
  const before = await nameless();
  const local = join(place, 'out');
  assert.equal((await build(dockerfile, ['-o', local])).code, 0);
  assert.equal(readFileSync(join(local, 'a/b'), 'utf8'), dockerfile);
  assert.deepEqual(readdirSync(local), ['a']);

  const piped = await build(dockerfile, ['-o', '-']);
  assert.ok(piped.stdout.includes('a/b\0'));
  assert.match(piped.stderr, /Step 2\/2/);
  assert.equal(await nameless(), before);

  const archive = join(place, 'image.tar');
  assert.equal((await build(dockerfile, ['-t', 'kept:1', '-o', `type=oci,dest=${archive}`])).code, 0);
  await daemon.ok('rmi', 'kept:1');
  assert.match(await daemon.ok('load', '-i', archive), /Loaded image: kept:1/);
  assert.equal((await build(dockerfile, ['-o', 'type=image,name=named:2'])).code, 0);
  assert.match(await daemon.ok('images', '-q', 'named:2'), /\w/);
});
