import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually, TestDaemon } from '../support/index.ts';

const MS = 1e6;
interface Inspected {
  RestartCount: number;
  Config: { MacAddress?: string; WorkingDir: string };
  HostsPath: string;
  State: {
    Status: string;
    Running: boolean;
    ExitCode: number;
    StartedAt: string;
    Health?: { Status: string; FailingStreak: number; Log: { Start: string; ExitCode: number; Output: string }[] };
  };
}

describe('containers', () => {
  let daemon: TestDaemon;
  before(async () => {
    daemon = await TestDaemon.start();
  });
  after(() => daemon[Symbol.asyncDispose]());

  const create = (name: string, body: object) =>
    daemon.api('POST', `/containers/create?name=${name}`, { Image: 'busybox', Cmd: ['sleep', '1000'], ...body });
  const run = async (name: string, body: object) => {
    const created = await create(name, body);
    assert.equal(created.status, 201, created.text);
    const started = await daemon.api('POST', `/containers/${name}/start`);
    assert.equal(started.status, 204, started.text);
  };
  const look = async (name: string): Promise<Inspected> => (await daemon.api('GET', `/containers/${name}/json`)).json;
  const remove = (name: string) => daemon.api('DELETE', `/containers/${name}?force=1`);
  /** Waits for a state of a container; the last one seen is part of the failure. */
  const until = async (name: string, is: (seen: Inspected) => boolean) => {
    let seen: Inspected | undefined;
    return eventually('its state', async () => {
      seen = await look(name);
      return is(seen) ? seen : undefined;
    }).catch((error: Error) => assert.fail(`${error.message}: ${JSON.stringify(seen?.State)}`));
  };
  const eventsOf = async (name: string, since: number) => {
    const filters = encodeURIComponent(JSON.stringify({ container: [name] }));
    // An event of this very millisecond counts too.
    const until = (Date.now() + 1) / 1000;
    const { text } = await daemon.api('GET', `/events?since=${since}&until=${until}&filters=${filters}`);
    return text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { Action: string; timeNano: number });
  };

  describe('are created', () => {
    const HOST_REFUSED: [object, string][] = [
      [{ PortBindings: { '80/tcp': [{ HostPort: '99999' }] } }, 'invalid port specification: "99999"'],
      [{ PortBindings: { '80/tcp': [{ HostPort: '31001-31000' }] } }, 'invalid port specification: "31001-31000"'],
      [
        { CpuRealtimePeriod: 1000, CpuRealtimeRuntime: 2000 },
        'cpu real-time runtime cannot be higher than cpu real-time period',
      ],
      [{ IOMaximumIOps: 10 }, 'invalid option: QoS maximum IOPs configuration is not supported on linux'],
      [{ IOMaximumBandwidth: 10 }, 'invalid option: QoS maximum bandwidth configuration is not supported on linux'],
      [{ CpusetCpus: 'x' }, 'Invalid value x for cpuset cpus: invalid format: x'],
      [{ CpusetCpus: '1-0' }, 'Invalid value 1-0 for cpuset cpus: invalid format: 1-0'],
      [{ CpusetMems: 'x' }, 'Invalid value x for cpuset mems: invalid format: x'],
      [{ PidMode: 'private' }, 'invalid PID mode: private'],
      [{ UTSMode: 'private' }, 'invalid UTS mode: private'],
      [{ PidMode: 'container:nosuch' }, 'No such container: nosuch'],
      [{ IpcMode: 'container:nosuch' }, 'No such container: nosuch'],
      [{ ExtraHosts: ['a:b'] }, 'invalid IP address in add-host: "b"'],
      [{ SecurityOpt: ['writable-cgroups=x'] }, 'invalid --security-opt 2: "writable-cgroups=x"'],
      [{ Annotations: { '': 'x' } }, 'invalid Annotations: the empty string is not permitted as an annotation key'],
    ];
    for (const [HostConfig, message] of HOST_REFUSED)
      it(`not with ${JSON.stringify(HostConfig)}`, async () => {
        const answer = await create('refused', { HostConfig });
        assert.deepEqual([answer.status, answer.json?.message], [400, message]);
      });

    it('with a warning for what is passed over', async () => {
      const ports = await create('warned', { ExposedPorts: { '80/zz': {}, '80-90/tcp': {}, '80/tcp': {} } });
      assert.deepEqual(ports.json.Warnings, [
        'Exposed port "80/zz" is not a port and is ignored',
        'Exposed port "80-90/tcp" is not a port and is ignored',
      ]);
      assert.equal((await daemon.api('POST', '/containers/warned/start')).status, 204);
      await remove('warned');
      const percent = await create('warned', { HostConfig: { CpuPercent: 10 } });
      assert.deepEqual(percent.json.Warnings, ['linux does not support CPU percent. Percent discarded.']);
      await remove('warned');
    });

    it('with a MAC address of their only network or of the container, as the version has it', async () => {
      const mac = '02:11:22:33:44:55';
      const wide = await create('mac', { MacAddress: mac });
      assert.deepEqual(wide.json.Warnings, [
        'The container-wide MacAddress field is now deprecated. It should be specified in EndpointsConfig instead.',
      ]);
      assert.equal((await look('mac')).Config.MacAddress, mac);
      await remove('mac');
      const other = { bridge: { MacAddress: '02:11:22:33:44:56' } };
      const both = await create('mac', { MacAddress: mac, NetworkingConfig: { EndpointsConfig: other } });
      assert.match(both.json.message, /^the container-wide MAC address must match the endpoint-specific MAC address/);
      const body = { Image: 'busybox', Cmd: ['sleep', '1000'], MacAddress: mac };
      const old = await daemon.api('POST', '/v1.43/containers/create?name=mac', body);
      assert.deepEqual(old.json.Warnings, []);
      assert.equal((await look('mac')).Config.MacAddress, mac);
      assert.equal((await daemon.api('POST', '/containers/mac/start')).status, 204);
      const { json } = await daemon.api('GET', '/containers/mac/json');
      assert.equal(json.NetworkSettings.Networks.bridge.MacAddress, mac);
      await remove('mac');
    });
  });

  it("the stream of a container's numbers ends with the container", async () => {
    await daemon.ok('run', '-d', '--name', 'measured', 'busybox', 'sleep', '1000');
    const stream = daemon.api('GET', '/containers/measured/stats');
    await sleep(1500);
    await daemon.ok('rm', '-f', 'measured');
    const samples = (await stream).text.trim().split('\n');
    assert.ok(
      samples.length >= 2 && samples.every((line) => (JSON.parse(line) as { name: string }).name === '/measured'),
    );
  });

  it('keep a clean working directory', async () => {
    await create('place', { WorkingDir: '/tmp//x/' });
    assert.equal((await look('place')).Config.WorkingDir, '/tmp/x');
    await remove('place');
  });

  it('may have a command of no name, which fails at the start', async () => {
    assert.equal((await create('nameless', { Cmd: [''] })).status, 201);
    assert.equal((await daemon.api('POST', '/containers/nameless/start')).status, 400);
    await remove('nameless');
    assert.equal((await create('nameless', { Cmd: [] })).status, 201);
    await remove('nameless');
  });

  it('take writable cgroups by a bare word, true or false', async () => {
    for (const [option, status] of [
      ['writable-cgroups', 201],
      ['writable-cgroups=false', 201],
      ['writable-cgroups=1', 400],
    ] as const) {
      assert.equal((await create('writable', { HostConfig: { SecurityOpt: [option] } })).status, status, option);
      await remove('writable');
    }
  });

  it('start an exec with the terminal size that it was made with', async () => {
    await run('sized', {});
    const { json } = await daemon.api('POST', '/containers/sized/exec', {
      AttachStdout: true,
      Tty: true,
      ConsoleSize: [57, 123],
      Cmd: ['stty', 'size'],
    });
    const { text } = await daemon.api('POST', `/exec/${json.Id}/start`, { Tty: true });
    assert.match(text, /57 123/);
    await remove('sized');
  });

  it('give what is in the root for a path of one dot', async () => {
    await create('dotted', {});
    for (const path of ['.', './', '/./']) {
      const { text } = await daemon.api('GET', `/containers/dotted/archive?path=${encodeURIComponent(path)}`);
      assert.ok(text.includes('\0./bin/\0'), `${path}: no ./bin/`);
      assert.ok(!text.includes('\0bin/\0') && !text.includes('\0/bin/\0'), `${path}: names of another form`);
    }
    await remove('dotted');
  });

  it('tell of their files once a start was tried', async () => {
    await create('dead', { Cmd: ['nosuch'] });
    assert.equal((await look('dead')).HostsPath, '');
    assert.equal((await daemon.api('POST', '/containers/dead/start')).status, 400);
    assert.match((await look('dead')).HostsPath, /\/hosts$/);
    await remove('dead');
  });

  it('say what failed when a signal is none', async () => {
    await run('signals', {});
    const message = async (path: string) => (await daemon.api('POST', `/containers/signals/${path}`)).json.message;
    assert.equal(await message('stop?signal=NOPE'), 'cannot stop container: signals: invalid signal: NOPE');
    assert.equal(await message('restart?signal=NOPE'), 'Cannot restart container signals: invalid signal: NOPE');
    await remove('signals');
  });

  describe('come back by their policy', () => {
    const always = { HostConfig: { RestartPolicy: { Name: 'always' } } };

    it('after waits that double, counted when they end', async () => {
      const since = Date.now() / 1000 - 1;
      await run('flapping', { Cmd: ['false'], ...always });
      const { State } = await until('flapping', ({ RestartCount, State }) => RestartCount === 5 && !!State.Running);
      assert.equal(State.Status, 'restarting');
      const events = await eventsOf('flapping', since);
      const at = (action: string) =>
        events.filter(({ Action }) => Action === action).map(({ timeNano }) => timeNano / MS);
      const dies = at('die');
      const waits = at('start')
        .slice(1)
        .map((started, index) => started - dies[index]!);
      for (const [index, wait] of waits.entries())
        assert.ok(wait >= 100 * 2 ** index, `wait ${index} of ${Math.round(wait)} ms among ${waits.join()}`);
      assert.equal(dies.length, 5);
      assert.equal((await daemon.api('POST', '/containers/flapping/stop')).status, 204);
      assert.equal((await eventsOf('flapping', since)).at(-1)?.Action, 'stop');
      await remove('flapping');
    });

    it('after a crash of the daemon too, and not when somebody stopped them', async () => {
      const policy = (Name: string) => ({ HostConfig: { RestartPolicy: { Name } } });
      const names = ['always', 'unless-stopped'];
      for (const name of names) {
        await run(name, policy(name));
        await run(`${name}-stopped`, policy(name));
        await daemon.api('POST', `/containers/${name}-stopped/stop?t=0`);
      }
      await run('waiting', { Cmd: ['false'], ...always });
      await until('waiting', ({ RestartCount }) => RestartCount >= 4);
      await daemon.crash();
      await daemon.launch();
      const running = async (name: string) => (await look(name)).State.Running;
      assert.deepEqual(await Promise.all(names.map(running)), [true, true]);
      await until('always-stopped', ({ State }) => State.Status === 'running');
      assert.equal(await running('unless-stopped-stopped'), false);
      const { json: since } = await daemon.api('GET', '/containers/json?filters={"since":["always"]}');
      assert.ok(!since.some(({ Names }: { Names: string[] }) => Names.includes('/unless-stopped-stopped')));
      const { RestartCount } = await look('waiting');
      await until('waiting', (seen) => seen.RestartCount > RestartCount);
      for (const name of [...names, ...names.map((name) => `${name}-stopped`), 'waiting']) await remove(name);
    });
  });

  describe('are looked after by a health check', () => {
    const check = (Test: string[], rest: object = {}) => ({
      Healthcheck: { Test, Interval: 200 * MS, Retries: 1, ...rest },
    });

    it('that keeps five results and says what was printed before its time was over', async () => {
      await run('late', check(['CMD-SHELL', 'echo begun; sleep 100'], { Timeout: 1500 * MS, Retries: 9 }));
      const { State } = await until('late', ({ State }) => (State.Health?.Log.length ?? 0) > 0);
      const { ExitCode, Output } = State.Health!.Log[0]!;
      assert.deepEqual([ExitCode, Output], [-1, 'Health check exceeded timeout (1.5s): begun\n']);
      await remove('late');
      await run('failing', check(['CMD', 'false'], { Retries: 3 }));
      const failing = await until('failing', ({ State }) => (State.Health?.FailingStreak ?? 0) >= 6);
      assert.deepEqual([failing.State.Health?.Log.length, failing.State.Health?.Status], [5, 'unhealthy']);
      await remove('failing');
    });

    it('of a kind that there is; another is none', async () => {
      await run('unchecked', check(['NOPE', 'true']));
      assert.equal((await look('unchecked')).State.Health, undefined);
      await remove('unchecked');
    });

    it('at the interval of the start, also if it is the longer one', async () => {
      await run('starting', check(['CMD', 'false'], { StartPeriod: 600_000 * MS, StartInterval: 3000 * MS }));
      const { State } = await until('starting', ({ State }) => (State.Health?.Log.length ?? 0) > 0);
      assert.ok(Date.parse(State.Health!.Log[0]!.Start) - Date.parse(State.StartedAt) >= 3000);
      assert.deepEqual([State.Health?.Status, State.Health?.FailingStreak], ['starting', 0]);
      await remove('starting');
    });

    it('that goes on, with what it knows, under the next daemon', async () => {
      await run('kept', check(['CMD', 'true']));
      const before = await until('kept', ({ State }) => State.Health?.Status === 'healthy');
      await daemon.crash();
      await daemon.launch();
      const { State } = await look('kept');
      assert.deepEqual([State.Health?.Status, State.StartedAt], ['healthy', before.State.StartedAt]);
      const { Start } = State.Health!.Log.at(-1)!;
      await until('kept', (seen) => seen.State.Health!.Log.at(-1)!.Start > Start);
      await remove('kept');
    });

    const failing = ['--health-cmd', 'test ! -e /bad', '--health-interval', '200ms', '--health-retries', '1'];
    const failWith = async (action: string, name: string, policy: string) => {
      const flags = ['--name', name, '--restart', policy, '--stop-timeout', '0', '--health-on-failure', action];
      await daemon.ok('run', '-d', ...flags, ...failing, 'busybox', 'sleep', '1000');
      await until(name, ({ State }) => State.Health?.Status === 'healthy');
      await daemon.ok('exec', name, 'touch', '/bad');
    };

    it('whose failure leaves them alone, ends or restarts them, as asked for', async () => {
      await failWith('none', 'left', 'no');
      const left = await until('left', ({ State }) => State.Health?.Status === 'unhealthy');
      assert.equal(left.State.Status, 'running');
      await failWith('kill', 'killed', 'no');
      const killed = await until('killed', ({ State }) => State.Status === 'exited');
      assert.equal(killed.State.ExitCode, 137);
      await failWith('stop', 'stopped', 'always');
      await until('stopped', ({ State }) => State.Status === 'exited');
      await failWith('restart', 'again', 'no');
      const { StartedAt } = (await look('again')).State;
      await until('again', ({ State }) => State.Status === 'running' && State.StartedAt > StartedAt);
      for (const name of ['left', 'killed', 'stopped', 'again']) await remove(name);
    });
  });
});
