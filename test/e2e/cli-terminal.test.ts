import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { eventually, inTerminal as runInTerminal, type Step, TestDaemon } from '../support/index.ts';

let daemon: TestDaemon;
before(async () => {
  daemon = await TestDaemon.start();
  await daemon.ok('run', '-d', '--name', 'live', 'busybox', 'sh', '-c', 'while true; do echo tick; sleep 1; done');
});
after(() => daemon[Symbol.asyncDispose]());

const inTerminal = (args: readonly string[], steps: readonly Step[], size: { rows?: number; cols?: number } = {}) =>
  runInTerminal(args, steps, {
    env: { DOCKER_HOST: daemon.host, DOCKER_CONFIG: `${daemon.root}/config` },
    ...size,
  });

test('run -it is a terminal of the right size that follows the window and returns the exit code', async () => {
  const { code } = await inTerminal(
    ['run', '--rm', '-it', 'busybox', 'sh'],
    [
      { expect: '/ # ' },
      { send: 'stty size\r' },
      { expect: '20 77' },
      { resize: [30, 100] },
      { send: 'until [ "$(stty size)" = "30 100" ]; do :; done; echo resi""zed\r' },
      { expect: 'resized' },
      { send: 'exit 4\r' },
    ],
    { rows: 20, cols: 77 },
  );
  assert.equal(code, 4);
});

test('detach keys leave the container running, attach comes back and ends with its code', async () => {
  const left = await inTerminal(
    ['run', '--name', 'left', '-it', 'busybox', 'sh'],
    [{ expect: '/ # ' }, { send: '\x10\x11' }],
  );
  assert.equal(left.code, 0);
  assert.equal(await daemon.ok('inspect', '-f', '{{.State.Running}}', 'left'), 'true');
  const back = await inTerminal(['attach', 'left'], [{ send: '\r' }, { expect: '/ # ' }, { send: 'exit 9\r' }]);
  assert.equal(back.code, 9);
});

test('exec -it has a terminal, --detach-keys changes the keys', async () => {
  const { code } = await inTerminal(
    ['exec', '-it', 'live', 'sh'],
    [{ expect: '/ # ' }, { send: 'echo $((40+2))\r' }, { expect: '42' }, { send: 'exit 6\r' }],
  );
  assert.equal(code, 6);
  const away = await inTerminal(
    ['exec', '-it', '--detach-keys', 'ctrl-a', 'live', 'sh'],
    [{ expect: '/ # ' }, { send: '\x01' }],
  );
  assert.equal(away.code, 1, 'as Docker, which says: read escape sequence');
  assert.match(away.output, /read escape sequence/);
});

test('a signal to run -it gives the terminal back', async () => {
  const { code } = await inTerminal(
    ['run', '--name', 'struck', '-it', 'busybox', 'sh'],
    [{ expect: '/ # ' }, { signal: 'SIGTERM' }],
  );
  assert.equal(code, -15);
});

test('Ctrl-C ends logs -f and stats at once', async () => {
  assert.equal((await inTerminal(['logs', '-f', 'live'], [{ expect: 'tick' }, { send: '\x03' }])).code, -2);
  assert.equal((await inTerminal(['stats'], [{ expect: 'live' }, { send: '\x03' }])).code, -2);
});

test('a password is asked for without showing it', async () => {
  const { output } = await inTerminal(
    ['login', 'localhost:1'],
    [{ expect: 'Username: ' }, { send: 'joe\r' }, { expect: 'Password: ' }, { send: 'hidden-word\r' }],
  );
  assert.match(output, /joe/);
  assert.doesNotMatch(output, /hidden-word/);
});

test('the full-screen view shows containers, also in 40 columns, and leaves with q', async () => {
  for (const cols of [120, 40]) {
    const { code, output } = await inTerminal(['top'], [{ expect: 'live' }, { expect: 'logs of' }, { send: 'q' }], {
      rows: 24,
      cols,
    });
    assert.equal(code, 0);
    assert.ok(output.endsWith('\x1b[?1049l') || output.includes('\x1b[?1049l'), 'the alternate screen is left');
  }
});

test('tars are not written to a terminal', async () => {
  for (const args of [
    ['save', 'busybox'],
    ['export', 'live'],
    ['cp', 'live:/etc', '-'],
  ]) {
    const { code, output } = await inTerminal(args, []);
    assert.equal(code, 1);
    assert.match(output, /cowardly refusing/);
  }
});

/** A directory with this Dockerfile, below the daemon's root. */
function contextOf(name: string, dockerfile: string): string {
  const directory = join(daemon.root, name);
  mkdirSync(directory);
  writeFileSync(join(directory, 'Dockerfile'), dockerfile);
  return directory;
}

test('a build shows its steps in place, and a failed one its output and exit code', async () => {
  const good = contextOf(
    'good',
    'FROM busybox AS a\nRUN echo some out""put; sleep 0.3\nFROM busybox\nCOPY --from=a /etc/passwd /p',
  );
  const built = await inTerminal(['build', good], [{ expect: '=> [a ' }, { expect: '# some output' }], { cols: 70 });
  assert.equal(built.code, 0, built.output);
  assert.match(built.output, /\(4\/4\) FINISHED/);
  const lines = built.output
    .split(/\r?\n/)
    .map((line) => line.replace(/\x1b\[[0-9;]*[A-Za-z]/g, '').replace(/\r/g, ''));
  assert.ok(lines.every((line) => line.length < 70));
  const bad = contextOf('bad', 'FROM busybox\nRUN echo last wo""rds; exit 3');
  const failed = await inTerminal(['build', bad], []);
  assert.equal(failed.code, 3);
  assert.match(failed.output, /=> ERROR \[stage-0 2\/2\] RUN[\s\S]*------\r\n > \[stage-0 2\/2\][^\n]*\nlast words/);
  for (const directory of [good, bad]) rmSync(directory, { recursive: true });
});

test('an interrupt ends a build at once, on both sides', async () => {
  const directory = contextOf('endless', 'FROM busybox\nRUN echo has beg""un; sleep 1000');
  const idle = (await daemon.leaks()).length;
  const { code } = await inTerminal(['build', directory], [{ expect: '# has begun' }, { send: '\x03' }]);
  assert.equal(code, -2);
  await eventually('the step is gone', async () => (await daemon.leaks()).length === idle, 30_000);
  rmSync(directory, { recursive: true });
});
