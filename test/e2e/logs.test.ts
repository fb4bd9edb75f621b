import assert from 'node:assert/strict';
import { readdirSync, renameSync } from 'node:fs';
import { resolve } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { eventually, execute, TestDaemon } from '../support/index.ts';

/** Counts from nought, 40 lines at a time, for as long as told. */
const counter = (batches: number, pauseS: number) =>
  `i=0; while [ $i -lt ${batches * 40} ]; do for k in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34 35 36 37 38 39 40; do echo "number $i ........................................................................"; i=$((i+1)); done; sleep ${pauseS}; done`;

function numbersOf(text: string): number[] {
  return [...text.matchAll(/number (\d+) \.+\n/g)].map(([, digits]) => Number(digits));
}
function consecutive(numbers: readonly number[], from = 0): void {
  for (const [index, number] of numbers.entries()) assert.equal(number, from + index);
}

describe('logs', () => {
  let daemon: TestDaemon;
  before(async () => {
    daemon = await TestDaemon.start();
  });
  after(() => daemon[Symbol.asyncDispose]());

  it('and what an attached client gets are whole, however slowly it reads', async () => {
    const script = `"$GANTRY" run --name slow --network none busybox sh -c 'head -c 100000000 /dev/zero; echo >&2 end' | { until "$GANTRY" inspect -f '{{.State.Status}}' slow | grep -q exited; do sleep 0.2; done; wc -c; }`;
    const env = { GANTRY: resolve(import.meta.dirname, '../../bin/gantry'), DOCKER_HOST: daemon.host };
    const { stdout, stderr } = await execute('sh', ['-c', script], { env });
    assert.equal(stdout.trim(), '100000000', stderr);
    assert.match(stderr, /^end$/m);
    await daemon.ok('rm', 'slow');
  });

  it('are followed across rotations without hole or double line', async () => {
    const id = await daemon.ok(
      ...[
        'run',
        '-d',
        '--name',
        'rotating',
        '--log-opt',
        'max-size=10k',
        '--log-opt',
        'max-file=100',
        '--log-opt',
        'compress=true',
      ],
      ...['busybox', 'sh', '-c', counter(40, 0.05)],
    );
    const followed = numbersOf(await daemon.ok('logs', '-f', 'rotating').then((text) => `${text}\n`));
    consecutive(followed);
    assert.equal(followed.length, 1600);
    consecutive(numbersOf(`${await daemon.ok('logs', 'rotating')}\n`));
    const tail = await daemon.gantry(['logs', '--tail', '500', 'rotating']);
    assert.equal(tail.stderr, '');
    consecutive(numbersOf(tail.stdout), 1100);
    assert.equal(numbersOf(tail.stdout).length, 500);
    const files = readdirSync(`${daemon.dataRoot}/containers/${id}`).filter((name) => name.includes('-json.log'));
    assert.ok(files.filter((name) => name.endsWith('.gz')).length >= 2, files.join());
  });

  it('keep only as much as max-file allows', async () => {
    const id = await daemon.ok(
      ...['run', '-d', '--name', 'bounded', '--log-opt', 'max-size=10k', 'busybox', 'sh', '-c', counter(15, 0.1)],
    );
    await daemon.ok('wait', 'bounded');
    const left = numbersOf(`${await daemon.ok('logs', 'bounded')}\n`);
    assert.ok(left.length < 600, `${left.length} lines are left`);
    consecutive(left, left[0]);
    // A container that ends while its log is rotated keeps what was rotated last.
    const files = readdirSync(`${daemon.dataRoot}/containers/${id}`).filter((name) => name.includes('-json.log'));
    assert.ok(files.length <= 2, files.join());
  });

  it('go on after a crash between the renaming of the file and the opening of the next', async () => {
    const id = await daemon.ok(
      ...['run', '-d', '--name', 'crashed', '--log-opt', 'max-size=1m', '--log-opt', 'max-file=3'],
      ...['busybox', 'sh', '-c', counter(1000, 0.1)],
    );
    const path = `${daemon.dataRoot}/containers/${id}/${id}-json.log`;
    await daemon.crash();
    renameSync(path, `${path}.1`);
    await daemon.launch();
    const seen = async () => numbersOf(`${await daemon.ok('logs', 'crashed')}\n`);
    await eventually('a new file with lines', async () => {
      const names = readdirSync(`${daemon.dataRoot}/containers/${id}`);
      return names.includes(`${id}-json.log`) && (await daemon.ok('logs', '--tail', '1', 'crashed')) !== ''
        ? true
        : undefined;
    });
    const before = (await seen()).length;
    await eventually('more lines', async () => ((await seen()).length > before + 40 ? true : undefined));
    consecutive(await seen());
    await daemon.ok('rm', '-f', 'crashed');
  });

  it('end at --until although the container is quiet, and apply --tail before --since', async () => {
    await daemon.ok(
      'run',
      '-d',
      '--name',
      'quiet',
      'busybox',
      'sh',
      '-c',
      'echo a; sleep 0.2; echo b; exec sleep 1000',
    );
    await eventually('its lines', async () => ((await daemon.ok('logs', 'quiet')) === 'a\nb' ? true : undefined));
    assert.equal(await daemon.ok('logs', '-f', '--until', new Date(Date.now() + 500).toISOString(), 'quiet'), 'a\nb');
    const [first = ''] = (await daemon.ok('logs', '-t', 'quiet')).split(' ');
    assert.equal(await daemon.ok('logs', '--tail', '1', '--until', first, 'quiet'), '');
    assert.equal(await daemon.ok('logs', '--tail', '1', '--since', first, 'quiet'), 'b');
    await daemon.ok('rm', '-f', 'quiet');
  });

  it('refuse wrong values when the container starts, in Docker’s words', async () => {
    const start = async (LogConfig: object) => {
      const { json } = await daemon.api('POST', '/containers/create', { Image: 'busybox', HostConfig: { LogConfig } });
      const answer = await daemon.api('POST', `/containers/${json.Id}/start`);
      await daemon.api('DELETE', `/containers/${json.Id}?force=1`);
      return [answer.status, answer.json?.message.replace(/.*initialize logging driver: /, '')];
    };
    const json = (Config: object) => start({ Type: 'json-file', Config });
    assert.deepEqual(await json({ 'max-size': 'x' }), [500, "invalid size: 'x'"]);
    assert.deepEqual(await json({ 'max-size': '0' }), [500, 'max-size must be a positive number']);
    assert.deepEqual(await json({ 'max-file': '0' }), [500, 'max-file cannot be less than 1']);
    assert.deepEqual(await json({ compress: 'true', 'max-size': '1m' }), [
      500,
      'compress cannot be true when max-file is less than 2 or max-size is not set',
    ]);
    assert.deepEqual(await start({ Type: 'local', Config: { 'max-file': '1' } }), [
      500,
      'compression cannot be enabled when max file count is 1',
    ]);
  });
});
