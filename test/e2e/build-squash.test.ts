import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { hasDockerCli, TestDaemon } from '../support/index.ts';

let daemon: TestDaemon;
before(async () => {
  daemon = await TestDaemon.start({ args: ['--experimental'] });
});
after(() => daemon[Symbol.asyncDispose]());

const BASE = `FROM busybox
RUN mkdir -p /base/full && touch /base/full/a /base/full/b /base/gone /base/kept && ln -s kept /base/link
`;
/** Changes of every kind, each undone or covered by a later one. */
const WORK = `FROM squash-base
ENV A=b
RUN echo big > /work && rm /base/gone && rm -r /base/full && mkdir /base/full && touch /base/full/new
RUN rm /work && ln /base/kept /base/hard && chmod 600 /base/full && rm /base/link && mkdir /base/link
RUN echo second > /base/full/new && touch "$(printf '/base/full/\\\\377')"
WORKDIR /w
LABEL c=d
`;
const LOOK =
  'cd / && find base w work 2>/dev/null | sort && stat -c "%n %a %h" base/* base/full/new && cat base/full/new';

async function build(cli: 'gantry' | 'docker', dockerfile: string, ...args: string[]): Promise<string> {
  const built = await daemon[cli](['build', ...args, '-'], { input: dockerfile });
  assert.equal(built.code, 0, built.stderr);
  return built.stdout;
}
const inspect = async (image: string) => JSON.parse(await daemon.ok('image', 'inspect', image))[0];

test('squash makes one layer of a build, and history tells of it as in moby', async () => {
  await build('gantry', BASE, '-t', 'squash-base');
  await build('gantry', WORK, '-t', 'whole');
  await build('gantry', WORK, '--squash', '-t', 'one');
  const [base, whole, one] = await Promise.all(['squash-base', 'whole', 'one'].map(inspect));
  assert.deepEqual(one.RootFS.Layers.slice(0, -1), base.RootFS.Layers);
  assert.equal(whole.RootFS.Layers.length, base.RootFS.Layers.length + 4);
  assert.deepEqual({ ...one.Config }, { ...whole.Config });
  for (const command of [LOOK, 'ls -lan /base /base/full | grep -v total'])
    assert.equal(
      await daemon.ok('run', '--rm', 'one', 'sh', '-c', command),
      await daemon.ok('run', '--rm', 'whole', 'sh', '-c', command),
    );
  const history = (await daemon.ok('history', '--no-trunc', '--format', '{{.Comment}}|{{.Size}}', 'one')).split('\n');
  assert.equal(history[0]!.split('|')[0], `merge ${whole.Id} to ${base.Id}`);
  assert.deepEqual(
    history.slice(1, 7).map((line) => line.split('|')[1]),
    Array.from({ length: 6 }, () => '0B'),
  );
  assert.equal(history.length, 1 + 6 + (await daemon.ok('history', '-q', 'squash-base')).split('\n').length);
});

test('a squashed build is squashed once, and its steps come from the cache', async () => {
  const again = await build('gantry', WORK, '--squash', '-t', 'again');
  assert.match(again, /Using cache/);
  assert.equal((await inspect('again')).Id, (await inspect('one')).Id);
});

test("a stage on scratch, a stage's base and Docker's client are squashed too", { skip: !hasDockerCli }, async () => {
  await build(
    'docker',
    'FROM busybox AS s\nRUN echo 1 > /1\nFROM scratch\nCOPY --from=s /1 /a\nCOPY --from=s /1 /b\n',
    '--squash',
    '-t',
    'alone',
  );
  const alone = await inspect('alone');
  assert.equal(alone.RootFS.Layers.length, 1);
  assert.match(
    await daemon.ok('history', '--no-trunc', '--format', '{{.Comment}}', 'alone'),
    /^create new from sha256:[0-9a-f]{64}$/,
  );
  await build(
    'docker',
    'FROM busybox AS s\nRUN echo 1 > /1\nRUN echo 2 > /2\nFROM s\nRUN rm /1\nRUN echo 3 > /2\n',
    '--squash',
    '-t',
    'staged',
  );
  assert.equal((await inspect('staged')).RootFS.Layers.length, (await inspect('busybox')).RootFS.Layers.length + 3);
  assert.equal(
    await daemon.ok('run', '--rm', 'staged', 'sh', '-c', 'cat /2; ls /1 2>/dev/null || echo gone'),
    '3\ngone',
  );
});
