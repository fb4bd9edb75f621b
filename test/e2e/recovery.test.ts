import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { describe, it } from 'node:test';
import { openInstance } from '../../src/daemon/instance.ts';
import { eventually, execute, TestDaemon } from '../support/index.ts';

const state = async (daemon: TestDaemon, name: string, format: string) => daemon.ok('inspect', '-f', format, name);

describe('a killed daemon', { concurrency: 2 }, () => {
  it('finds its running containers again: same process, whole log, working attach and exec', async () => {
    await using daemon = await TestDaemon.start();
    await daemon.ok(
      'run',
      '-d',
      '--name',
      'counter',
      'busybox',
      'sh',
      '-c',
      'i=0; while :; do echo line $i; i=$((i+1)); sleep 0.05; done',
    );
    const pid = await state(daemon, 'counter', '{{.State.Pid}}');
    await daemon.crash();
    await new Promise((resolve) => setTimeout(resolve, 500));
    await daemon.launch();
    assert.equal(await state(daemon, 'counter', '{{.State.Running}} {{.State.Pid}}'), `true ${pid}`);
    assert.equal(await daemon.ok('exec', 'counter', 'echo', 'inside'), 'inside');
    const lines = (await daemon.ok('logs', 'counter')).split('\n');
    assert.deepEqual(
      lines,
      lines.map((_, index) => `line ${index}`),
    );
    assert.ok(lines.length > 5);
    await daemon.ok('kill', 'counter');
    assert.equal(await state(daemon, 'counter', '{{.State.Status}} {{.State.ExitCode}}'), 'exited 137');
  });

  it('learns the exit codes of what ended meanwhile and removes --rm containers', async () => {
    await using daemon = await TestDaemon.start();
    await daemon.ok('run', '-d', '--name', 'ends', 'busybox', 'sh', '-c', 'sleep 1; exit 7');
    await daemon.ok('run', '-d', '--rm', '--name', 'gone', '-v', '/anonymous', 'busybox', 'sleep', '1');
    await daemon.crash();
    await new Promise((resolve) => setTimeout(resolve, 2500));
    await daemon.launch();
    assert.equal(
      await eventually('the exit is recorded', async () => {
        const text = await state(daemon, 'ends', '{{.State.Status}} {{.State.ExitCode}}');
        return text.startsWith('exited') && text;
      }),
      'exited 7',
    );
    await eventually(
      'the --rm container is gone',
      async () => (await daemon.ok('ps', '-aq', '--filter', 'name=gone')) === '',
    );
    await eventually('its volume is gone', async () => (await daemon.ok('volume', 'ls', '-q')) === '');
  });

  it('keeps what health checks found', async () => {
    await using daemon = await TestDaemon.start();
    await daemon.ok(
      ...['run', '-d', '--name', 'checked', '--health-cmd', 'echo seen; exit 1', '--health-interval', '1s'],
      ...['--health-retries', '1', 'busybox', 'sleep', '1000'],
    );
    const health = '{{.State.Health.Status}} {{.State.Health.FailingStreak}}';
    await eventually('it is unhealthy', async () =>
      (await state(daemon, 'checked', health)).startsWith('unhealthy') ? true : undefined,
    );
    await daemon.crash();
    await daemon.launch();
    const [status, streak] = (await state(daemon, 'checked', health)).split(' ');
    assert.equal(status, 'unhealthy');
    assert.ok(Number(streak) >= 1);
    await eventually('checks go on', async () =>
      Number((await state(daemon, 'checked', health)).split(' ')[1]) > Number(streak) ? true : undefined,
    );
  });

  it('keeps restart policies', async () => {
    await using daemon = await TestDaemon.start();
    await daemon.ok('run', '-d', '--name', 'always', '--restart', 'always', 'busybox', 'sleep', '1000');
    await daemon.ok('run', '-d', '--name', 'stopped', '--restart', 'unless-stopped', 'busybox', 'sleep', '1000');
    await daemon.ok('stop', '-t', '0', 'stopped');
    const pid = Number(await state(daemon, 'always', '{{.State.Pid}}'));
    await daemon.crash();
    process.kill(pid, 'SIGKILL');
    await eventually('the process ends', () => !existsSync(`/proc/${pid}`));
    await daemon.launch();
    await eventually('it runs again', async () => (await state(daemon, 'always', '{{.State.Running}}')) === 'true');
    assert.equal(await state(daemon, 'stopped', '{{.State.Running}}'), 'false');
  });

  it('starts a linked container before the one that needs it', async () => {
    await using daemon = await TestDaemon.start();
    const always = ['run', '-d', '--restart', 'always', '--name'];
    await daemon.ok(...always, 'db', 'busybox', 'sleep', '1000');
    await daemon.ok(...always, 'web', '--link', 'db:store', 'busybox', 'sh', '-c', 'echo $STORE_NAME; sleep 1000');
    await daemon.ok(...always, 'beside', '--network', 'container:web', 'busybox', 'sleep', '1000');
    await daemon.terminate();
    await daemon.launch();
    for (const name of ['db', 'web', 'beside'])
      await eventually(`${name} runs`, async () => (await state(daemon, name, '{{.State.Status}}')) === 'running');
    assert.equal(await daemon.ok('logs', 'web'), '/web/store\n/web/store');
  });

  it('keeps published ports and names of running containers, and restores rules that somebody flushed', async () => {
    await using daemon = await TestDaemon.start();
    await daemon.ok('network', 'create', 'apps');
    await daemon.ok(
      'run',
      '-d',
      '--name',
      'web',
      '--network',
      'apps',
      '-p',
      '127.0.0.1::80',
      'busybox',
      'sh',
      '-c',
      'mkdir /w; echo served > /w/index.html; httpd -f -p 80 -h /w',
    );
    const address = await daemon.ok('port', 'web', '80');
    const fetchPage = () =>
      fetch(`http://${address}/`, { signal: AbortSignal.timeout(2000) }).then(
        (answer) => answer.text(),
        () => undefined,
      );
    await eventually('the page is served', async () => (await fetchPage()) === 'served\n');
    await daemon.crash();
    assert.equal(await fetchPage(), 'served\n');
    await daemon.launch();
    assert.equal(await fetchPage(), 'served\n');
    assert.match(
      await daemon.ok('run', '--rm', '--network', 'apps', 'busybox', 'wget', '-qO-', 'http://web/'),
      /served/,
    );
    const table = `gantry-${openInstance(daemon.dataRoot).suffix}`;
    const flush = async (): Promise<void> => {
      await execute('nft', [`delete table inet ${table}; delete table bridge ${table}`]);
      assert.equal(await fetchPage(), undefined);
    };
    await flush();
    daemon.hangUp();
    await eventually('flushed rules are back', async () => (await fetchPage()) === 'served\n');
    await daemon.crash();
    await flush();
    await daemon.launch();
    assert.equal(await fetchPage(), 'served\n');
  });

  it('is stopped cleanly: containers end, and come back by policy', async () => {
    await using daemon = await TestDaemon.start();
    await daemon.ok(
      'run',
      '-d',
      '--name',
      'always',
      '--restart',
      'always',
      '--stop-signal',
      'KILL',
      'busybox',
      'sleep',
      '1000',
    );
    await daemon.ok('run', '-d', '--name', 'plain', '--stop-signal', 'KILL', 'busybox', 'sleep', '1000');
    await daemon.terminate();
    assert.deepEqual(await daemon.leaks(), []);
    await daemon.launch();
    await eventually('always runs', async () => (await state(daemon, 'always', '{{.State.Running}}')) === 'true');
    assert.equal(await state(daemon, 'plain', '{{.State.Running}}'), 'false');
  });
});
