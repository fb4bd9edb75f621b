import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { eventually, inTerminal, type Step, TestDaemon } from '../support/index.ts';

let daemon: TestDaemon;
before(async () => {
  daemon = await TestDaemon.start();
});
after(() => daemon[Symbol.asyncDispose]());

const top = (steps: readonly Step[], size: { rows?: number; cols?: number } = {}) =>
  inTerminal(['top'], steps, {
    env: { DOCKER_HOST: daemon.host, DOCKER_CONFIG: `${daemon.root}/config` },
    rows: 24,
    cols: 130,
    ...size,
  });
const state = (name: string): Promise<string> => daemon.ok('inspect', '-f', '{{.State.Status}}', name);

test('the keys pause, restart, stop, remove and kill the chosen container, and q leaves', async () => {
  await daemon.ok(
    'run',
    '-d',
    '--name',
    'worker',
    '--stop-timeout',
    '0',
    'busybox',
    'sh',
    '-c',
    'echo be""gun; sleep 10000',
  );
  const { code, output } = await top([
    { expect: 'worker' },
    { expect: 'begun' },
    { send: 'p' },
    { expect: '(Paused)' },
    { send: 'p' },
    { expect: 'unpause worker: done' },
    { send: 'r' },
    { expect: 'restart worker: done' },
    { send: 's' },
    { expect: 'Exited' },
    { send: 'd' },
    { expect: 'remove worker: done' },
    { send: 'q' },
  ]);
  assert.equal(code, 0);
  assert.ok(output.lastIndexOf('\x1b[?1049l') > output.lastIndexOf('\x1b[?1049h'), 'the alternate screen is left');
  assert.equal(await daemon.ok('ps', '-aq'), '');
});

test('arrows move the choice, o the order, l hides the logs, and the choice stays with its container', async () => {
  for (const name of ['aaa', 'bbb'])
    await daemon.ok('run', '-d', '--name', name, 'busybox', 'sh', '-c', `echo from-${name}; sleep 10000`);
  const { code } = await top([
    { expect: 'logs of bbb' },
    { expect: 'from-bbb' },
    { send: '\x1b[B' },
    { expect: 'logs of aaa' },
    { expect: 'from-aaa' },
    { send: 'o' },
    { expect: 'o order: cpu' },
    { send: 'oo' },
    { expect: 'o order: name' },
    { expect: 'logs of aaa' },
    { send: 'k' },
    { expect: 'kill aaa: done' },
    { send: 'l' },
    { send: 'q' },
  ]);
  assert.equal(code, 0);
  assert.equal(await state('aaa'), 'exited');
  assert.equal(await state('bbb'), 'running');
  await daemon.ok('rm', '-f', 'aaa', 'bbb');
});

test('e opens a shell in the container and comes back to the view', async () => {
  await daemon.ok('run', '-d', '--name', 'box', 'busybox', 'sleep', '10000');
  const { code } = await top([
    { expect: 'logs of box' },
    { send: 'e' },
    { expect: '/ # ' },
    { send: 'echo in-$((40+2))\r' },
    { expect: 'in-42' },
    { send: 'exit\r' },
    { expect: 'logs of box' },
    { send: 'q' },
  ]);
  assert.equal(code, 0);
  await daemon.ok('rm', '-f', 'box');
});

test('the view fits 40 columns and follows the window', async () => {
  await daemon.ok('run', '-d', '--name', 'narrow', 'busybox', 'sleep', '10000');
  const { code } = await top(
    [{ expect: 'NAME' }, { expect: 'logs of narrow' }, { resize: [30, 120] }, { expect: 'NET OUT' }, { send: '\x03' }],
    { cols: 40 },
  );
  assert.equal(code, 0);
  await daemon.ok('rm', '-f', 'narrow');
});

test('a daemon that goes away is waited for', async () => {
  await daemon.ok('run', '-d', '--name', 'stays', 'busybox', 'sh', '-c', 'while true; do date; sleep 1; done');
  const back = (async () => {
    await eventually('it has gone', () =>
      daemon.api('GET', '/_ping').then(
        () => false,
        () => true,
      ),
    );
    await daemon.launch();
  })();
  const { code } = await top([
    { expect: 'logs of stays' },
    { run: ['kill', '-9', String(daemon.pid)] },
    { expect: 'the daemon has ended; waiting for it' },
    { expect: 'the daemon answers again' },
    { send: 's' },
    { expect: 'stop stays: done' },
    { send: 'q' },
  ]);
  await back;
  assert.equal(code, 0);
});
