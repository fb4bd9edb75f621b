import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { ContextServer, hasDockerCli, type ServedFile, TestDaemon } from '../support/index.ts';

let daemon: TestDaemon;
let scratch: string;
let server: ContextServer;
let commit: string;
const TEXT = 'FROM busybox\nLABEL from=url\n';
const clients = (['gantry', 'docker'] as const).filter((name) => name === 'gantry' || hasDockerCli);

before(async () => {
  daemon = await TestDaemon.start();
  scratch = mkdtempSync(join(tmpdir(), 'gt-remote-'));
  const context = join(scratch, 'context');
  mkdirSync(join(context, 'sub'), { recursive: true });
  writeFileSync(join(context, 'Dockerfile'), 'FROM busybox\nCOPY . /c\nLABEL from=top\n');
  writeFileSync(join(context, 'sub/Dockerfile'), 'FROM busybox\nCOPY . /c\nLABEL from=sub\n');
  writeFileSync(join(context, 'Other'), 'FROM busybox\nLABEL from=other\n');
  const git = (...args: string[]) =>
    execFileSync('git', ['-C', context, '-c', 'user.name=t', '-c', 'user.email=t@t', ...args]);
  git('init', '-q', '-b', 'master');
  git('add', '.');
  git('commit', '-qm', 'one');
  commit = String(git('rev-parse', 'HEAD')).trim();
  git('checkout', '-q', '-b', 'branch');
  writeFileSync(join(context, 'only-here'), '');
  git('add', '.');
  git('commit', '-qm', 'two');
  git('checkout', '-q', 'master');
  execFileSync('git', ['clone', '-q', '--bare', context, join(scratch, 'git/repo.git')]);
  const tar = execFileSync('tar', ['-C', context, '--exclude=.git', '-c', '.']);
  const files = new Map<string, ServedFile>([
    ['/text', { type: 'text/plain', body: TEXT }],
    ['/bytes', { type: 'application/octet-stream', body: TEXT }],
    ['/tar', { type: 'text/plain', body: tar }],
    ['/tar.gz', { type: 'application/octet-stream', body: gzipSync(tar) }],
  ]);
  server = await ContextServer.start(files, join(scratch, 'git'));
});
after(async () => {
  server[Symbol.dispose]();
  rmSync(scratch, { recursive: true, force: true });
  await daemon[Symbol.asyncDispose]();
});

for (const cli of clients) {
  const build = (args: readonly string[], input?: string) =>
    daemon[cli](['build', '-q', '-t', 'from/remote', ...args], { input });
  async function built(args: readonly string[], input?: string): Promise<string> {
    const { code, stderr } = await build(args, input);
    assert.equal(code, 0, `${args.join(' ')}: ${stderr}`);
    return daemon.ok('image', 'inspect', '-f', '{{index .Config.Labels "from"}}', 'from/remote');
  }
  const list = () => daemon.ok('run', '--rm', 'from/remote', 'ls', '-A', '/c');

  test(`${cli}: a URL is a Dockerfile or an archive, whatever the server calls it`, async () => {
    for (const path of ['/text', '/bytes']) assert.equal(await built([server.url + path]), 'url', path);
    for (const path of ['/tar', '/tar.gz']) {
      assert.equal(await built([server.url + path]), 'top', path);
      assert.equal(await list(), 'Dockerfile\nOther\nsub');
    }
    assert.equal(await built(['-f', 'Other', `${server.url}/tar`]), 'other');
    assert.equal(await built(['-f', '-', `${server.url}/tar`], 'FROM busybox\nLABEL from=input\n'), 'input');
    const missing = await build([`${server.url}/nothing`]);
    assert.match(missing.stderr, /failed to GET http:\S+\/nothing with status 404 Not Found/);
    assert.equal(missing.code, 1);
  });

  test(`${cli}: ADD takes a file or a commit of a repository if it is the one that its checksum says`, async () => {
    const of = async (add: string) => {
      const { code, stderr } = await build(['-'], `FROM busybox\nADD ${add} /c/\nLABEL from=${cli}\n`);
      return code === 0 ? 'built' : stderr;
    };
    const digest = `sha256:${createHash('sha256').update(TEXT).digest('hex')}`;
    const repository = `${server.url}/git/repo.git`;
    for (const [add, expected] of [
      [`--checksum=${digest} ${server.url}/text`, /^built$/],
      [`--checksum=${digest.replace(/.$/, 'x')} ${server.url}/text`, /invalid checksum digest format/],
      [`--checksum=sha256:${'0'.repeat(64)} ${server.url}/text`, /digest mismatch sha256:/],
      [`--checksum=${commit} ${repository}`, /^built$/],
      [`--checksum=${commit.slice(0, 8)} ${repository}`, /^built$/],
      [
        `--checksum=${commit} ${repository}#branch`,
        new RegExp(`expected checksum to match ${commit}, got [0-9a-f]{40}`),
      ],
      [`--checksum=xyz ${repository}`, /invalid checksum xyz for Git URL, expected hex commit hash/],
      [`--checksum=${digest} ${server.url}/text ${server.url}/tar`, /checksum can't be specified for multiple sources/],
      [`--checksum=${digest} text`, /checksum requires HTTP\(S\) or Git sources/],
    ] as const)
      assert.match(await of(add), expected, add);
  });

  test(`${cli}: a git repository, at a reference and a directory of it`, async () => {
    const repository = `${server.url}/git/repo.git`;
    assert.equal(await built([repository]), 'top');
    assert.doesNotMatch(await list(), /only-here/);
    assert.equal(await built([`${repository}#branch`]), 'top');
    assert.match(await list(), /only-here/);
    assert.equal(await built([`${repository}#branch:sub`]), 'sub');
    assert.equal(await built(['-f', 'Other', `${repository}#branch`]), 'other');
    assert.equal(await built(['-f', '-', `${repository}#branch`], 'FROM busybox\nLABEL from=input\n'), 'input');
    for (const [fragment, words] of [
      ['nope', /couldn't find remote ref nope/],
      ['branch:nope', /git context|no such file/],
      ['--upload-pack=x', /invalid (?:refspec|git reference)/],
    ] as const) {
      const { code, stderr } = await build([`${repository}#${fragment}`]);
      assert.deepEqual([code, words.test(stderr)], [1, true], stderr);
    }
  });

  test(`${cli}: repositories of the client's disk and other schemes are no contexts`, async () => {
    for (const url of [`file://${scratch}/git/repo.git`, 'ext::sh -c id.git'])
      assert.equal(
        (await build([url])).stderr.trim().split('\n').at(-1),
        `unable to prepare context: path "${url}" not found`,
      );
    // Nor are they the daemon's, if one asks it directly.
    const { status, text } = await daemon.api(
      'POST',
      `/build?remote=${encodeURIComponent(`file://${scratch}/git/repo.git`)}`,
    );
    assert.equal(status, 400, text);
  });

  test(`${cli}: a Dockerfile from elsewhere goes with a directory`, async () => {
    const text = 'FROM busybox\nCOPY . /c\nLABEL from=input\n';
    assert.equal(await built(['-f', '-', join(scratch, 'context/sub')], text), 'input');
    assert.equal(await list(), 'Dockerfile');
    writeFileSync(join(scratch, 'Outside'), text.replace('input', 'outside'));
    assert.equal(await built(['-f', join(scratch, 'Outside'), join(scratch, 'context/sub')]), 'outside');
    assert.equal(await list(), 'Dockerfile');
    const both = await build(['-f', 'x', '-'], text);
    assert.match(both.stderr, /ambiguous Dockerfile source: both stdin and flag correspond to Dockerfiles/);
  });
}

test('a file may be added from any port, also one that browsers refuse', async () => {
  const files = new Map([['/dir/file', { type: 'text/plain', body: 'from afar' }]]);
  const port = 6667;
  const there = await ContextServer.start(files, scratch, port);
  try {
    const dockerfile = (url: string) => `FROM busybox\nADD ${url} /c/\n`;
    await daemon.ok('rmi', '-f', 'from/remote');
    const added = await daemon.gantry(['build', '-q', '-t', 'from/remote', '-'], {
      input: dockerfile(`http://127.0.0.1:${port}/dir/file`),
    });
    assert.equal(added.code, 0, added.stderr);
    assert.equal(await daemon.ok('run', '--rm', 'from/remote', 'cat', '/c/file'), 'from afar');
    const missing = await daemon.gantry(['build', '-q', '-'], { input: dockerfile(`http://127.0.0.1:${port}/none`) });
    assert.match(missing.stderr, /failed to GET http:\/\/127\.0\.0\.1:6667\/none with status 404 Not Found/);
    const closed = await daemon.gantry(['build', '-q', '-'], { input: dockerfile('http://127.0.0.1:1/x') });
    assert.match(
      closed.stderr,
      /Get "http:\/\/127\.0\.0\.1:1\/x": dial tcp 127\.0\.0\.1:1: connect: connection refused/,
    );
  } finally {
    there[Symbol.dispose]();
  }
});
