import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import { eventually, execute, TestDaemon } from '../support/index.ts';

const gantryd = resolve(import.meta.dirname, '../../bin/gantryd');
const sleeper = [
  'run',
  '-d',
  '--name',
  'sleeper',
  'busybox',
  'sh',
  '-c',
  'trap "exit 5" TERM; while :; do sleep 0.05; done',
];

/** Runs gantryd to its end. */
const refused = (args: readonly string[]) => execute(gantryd, args, { timeoutMs: 60_000 });

/** Status and text of an answer; undefined when there is no daemon any more. */
const answerOf = (agent: Agent, socketPath: string, method: string, path: string): Promise<string | undefined> =>
  new Promise((done) => {
    request({ agent, socketPath, method, path }, async (answer) => {
      done(
        await text(answer).then(
          (body) => `${answer.statusCode} ${body}`,
          () => undefined,
        ),
      );
    })
      .on('error', () => done(undefined))
      .end();
  });

describe('gantryd', () => {
  it('refuses a data root in use, a running pid file, and leaves the running daemon alone', async () => {
    await using daemon = await TestDaemon.start({ busybox: false });
    const second = await refused([
      '-H',
      `unix://${daemon.root}/t`,
      '--data-root',
      daemon.dataRoot,
      '--exec-root',
      `${daemon.root}/run2`,
      '--pidfile',
      `${daemon.root}/pid2`,
    ]);
    assert.equal(second.code, 1);
    assert.match(second.stderr, new RegExp(`is in use by another gantryd \\(pid ${daemon.pid}\\)`));
    const third = await refused([
      '-H',
      `unix://${daemon.root}/t`,
      '--data-root',
      `${daemon.root}/data2`,
      '--exec-root',
      `${daemon.root}/run2`,
      '--pidfile',
      `${daemon.root}/pid`,
    ]);
    assert.equal(third.code, 1);
    assert.match(third.stderr, new RegExp(`process with PID ${daemon.pid} is still running`));
    assert.equal((await daemon.api('GET', '/_ping')).text, 'OK');
  });

  it('reads daemon.json again at SIGHUP, tells of it, and keeps what it had when the file is wrong', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'gt-conf-'));
    const file = join(directory, 'daemon.json');
    try {
      writeFileSync(file, '{"labels":["a=1"]}');
      await using daemon = await TestDaemon.start({ busybox: false, args: ['--config-file', file] });
      const info = async () => (await daemon.api('GET', '/info')).json;
      assert.deepEqual((await info()).Labels, ['a=1']);
      writeFileSync(file, '{"labels":["b=2"],"live-restore":true,"debug":true}');
      daemon.hangUp();
      await eventually('the reload', async () => (await info()).LiveRestoreEnabled === true);
      assert.deepEqual((await info()).Labels, ['b=2']);
      assert.equal((await info()).Debug, true);
      writeFileSync(file, '{"nonsense":1}');
      daemon.hangUp();
      await eventually('the complaint', async () =>
        readFileSync(daemon.logFile, 'utf8').includes("don't match any configuration option: nonsense"),
      );
      assert.deepEqual((await info()).Labels, ['b=2']);
      const until = Math.ceil(Date.now() / 1000) + 1;
      const events = await daemon.api('GET', `/events?since=0&until=${until}&filters={"type":["daemon"]}`);
      assert.match(events.text, /"Action":"reload"/);
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });

  it('writes what it is doing at SIGUSR1, without its environment', async () => {
    await using daemon = await TestDaemon.start({ busybox: false });
    process.kill(daemon.pid, 'SIGUSR1');
    const written = await eventually(
      'the report',
      () => readFileSync(daemon.logFile, 'utf8').match(/diagnostic report written to (\S+\.json)/) ?? undefined,
    );
    const report = JSON.parse(readFileSync(written[1] ?? '', 'utf8'));
    assert.ok(Array.isArray(report.javascriptStack.stack));
    assert.equal(report.environmentVariables, undefined);
  });

  it('ends containers by their stop signal when it is told to stop, and shows their exit codes afterwards', async () => {
    await using daemon = await TestDaemon.start();
    await daemon.ok(...sleeper);
    await daemon.terminate();
    assert.equal(existsSync(daemon.socket), false);
    assert.equal(existsSync(`${daemon.root}/pid`), false);
    await daemon.launch();
    assert.equal(await daemon.ok('inspect', '-f', '{{.State.Status}} {{.State.ExitCode}}', 'sleeper'), 'exited 5');
  });

  it('answers what it is asked until it ends, but starts nothing any more', async () => {
    await using daemon = await TestDaemon.start();
    await daemon.ok('run', '-d', '--stop-timeout', '1', 'busybox', 'sleep', '1000');
    for (let index = 0; index < 8; index++)
      await daemon.ok('create', '--name', `c${index}`, 'busybox', 'sleep', '1000');
    // Kept open, as a client's connections are.
    const agent = new Agent({ keepAlive: true, maxSockets: 8 });
    const answers: string[] = [];
    const ask = async (index: number): Promise<void> => {
      for (;;) {
        const path = index % 2 === 0 ? `/containers/c${index}/start` : '/containers/json?all=1';
        const answer = await answerOf(agent, daemon.socket, index % 2 === 0 ? 'POST' : 'GET', path);
        if (answer === undefined) return;
        answers.push(answer);
      }
    };
    const asking = [...Array(8).keys()].map(ask);
    await daemon.terminate();
    await Promise.all(asking);
    agent.destroy();
    assert.deepEqual(
      answers.filter((text) => text.startsWith('5') && !text.includes('the daemon is shutting down')),
      [],
    );
    assert.ok(answers.some((text) => text.startsWith('503')));
    await daemon.launch();
    assert.equal(await daemon.ok('ps', '-q'), '');
  });

  it('leaves containers running with live restore, and the next one has them again', async () => {
    await using daemon = await TestDaemon.start({ args: ['--live-restore'] });
    await daemon.ok(...sleeper);
    const pid = await daemon.ok('inspect', '-f', '{{.State.Pid}}', 'sleeper');
    await daemon.terminate();
    assert.equal(existsSync(`/proc/${pid}`), true);
    await daemon.launch();
    assert.equal(await daemon.ok('inspect', '-f', '{{.State.Pid}} {{.State.Status}}', 'sleeper'), `${pid} running`);
    assert.equal(await daemon.ok('exec', 'sleeper', 'echo', 'still here'), 'still here');
    await daemon.ok('rm', '-f', 'sleeper');
  });

  it('speaks TLS to clients whose certificate its authority signed, and to no others', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'gt-tls-'));
    try {
      await makeCertificates(directory);
      const port = 20_000 + (process.pid % 20_000);
      const pem = (name: string) => join(directory, `${name}.pem`);
      const args = [
        '-H',
        `tcp://127.0.0.1:${port}`,
        '--tlsverify',
        '--tlscacert',
        pem('ca'),
        '--tlscert',
        pem('server'),
        '--tlskey',
        pem('server-key'),
      ];
      await using daemon = await TestDaemon.start({ busybox: false, args });
      const host = ['-H', `tcp://127.0.0.1:${port}`, '--tlsverify', '--tlscacert', pem('ca')];
      const good = await daemon.gantry(
        [...host, '--tlscert', pem('client'), '--tlskey', pem('client-key'), 'version', '-f', '{{.Server.Version}}'],
        { env: { DOCKER_HOST: '' } },
      );
      assert.equal(good.code, 0, good.stderr);
      assert.match(good.stdout, /^\d+\.\d+\.\d+\n$/);
      const bad = await daemon.gantry(
        [
          ...host,
          '--tlscert',
          pem('stranger'),
          '--tlskey',
          pem('stranger-key'),
          'version',
          '-f',
          '{{.Server.Version}}',
        ],
        { env: { DOCKER_HOST: '' } },
      );
      assert.notEqual(bad.code, 0);
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });

  it('says what it does not understand, and what it refuses, without starting', async () => {
    const cases: [args: string[], code: number, message: RegExp][] = [
      [['--nonsense'], 125, /unknown flag: --nonsense/],
      [['-H', 'tcp://127.0.0.1:1'], 1, /refusing to listen on tcp:\/\/127\.0\.0\.1:1 without --tlsverify/],
      [['--config-file', '/nonexistent.json'], 1, /no such file or directory/],
      [['--userns-remap', 'default'], 1, /userns-remap is not supported/],
    ];
    for (const [args, code, message] of cases) {
      const outcome = await refused(args);
      assert.equal(outcome.code, code, outcome.stderr);
      assert.match(outcome.stderr, message);
    }
    const valid = await refused(['--validate', '--live-restore']);
    assert.deepEqual([valid.code, valid.stdout], [0, 'configuration OK\n']);
  });

  it('takes a socket that was opened for it', async () => {
    const root = mkdtempSync(join(tmpdir(), 'gt-fd-'));
    try {
      // What systemd does: listen, then become the daemon, with LISTEN_PID and LISTEN_FDS set.
      const script = `import os,socket,sys
s=socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]+'/s'); s.listen(16); os.dup2(s.fileno(),3); os.set_inheritable(3,True)
os.environ.update(LISTEN_PID=str(os.getpid()),LISTEN_FDS='1')
os.execv(sys.argv[2],[sys.argv[2],'-H','fd://','--data-root',sys.argv[1]+'/data','--exec-root',sys.argv[1]+'/run','--pidfile',sys.argv[1]+'/pid'])`;
      const child = spawn('python3', ['-c', script, root, gantryd], { stdio: ['ignore', 'ignore', 'pipe'] });
      let log = '';
      child.stderr.on('data', (chunk) => {
        log += String(chunk);
      });
      const ended = new Promise((done) => child.once('exit', done));
      try {
        await eventually('an answer on the socket', async () => {
          if (child.exitCode !== null) throw new Error(log);
          const outcome = await execute('curl', ['-s', '--unix-socket', `${root}/s`, 'http://d/_ping'], {});
          return outcome.stdout === 'OK';
        });
      } finally {
        child.kill('SIGTERM');
        await ended;
      }
    } finally {
      rmSync(root, { recursive: true, force: true });
    }
  });
});

async function makeCertificates(directory: string): Promise<void> {
  const openssl = async (...args: string[]) => {
    const outcome = await execute('openssl', args, { cwd: directory });
    assert.equal(outcome.code, 0, outcome.stderr);
  };
  const authority = (name: string) =>
    openssl(
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:prime256v1',
      '-nodes',
      '-keyout',
      `${name}-key.pem`,
      '-out',
      `${name}.pem`,
      '-days',
      '2',
      '-subj',
      `/CN=${name}`,
    );
  await authority('ca');
  await authority('stranger');
  for (const name of ['server', 'client']) {
    await openssl(
      'req',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:prime256v1',
      '-nodes',
      '-keyout',
      `${name}-key.pem`,
      '-out',
      `${name}.csr`,
      '-subj',
      `/CN=${name}`,
    );
    writeFileSync(join(directory, 'names'), 'subjectAltName=DNS:localhost,IP:127.0.0.1\n');
    await openssl(
      'x509',
      '-req',
      '-in',
      `${name}.csr`,
      '-CA',
      'ca.pem',
      '-CAkey',
      'ca-key.pem',
      '-CAcreateserial',
      '-out',
      `${name}.pem`,
      '-days',
      '2',
      '-extfile',
      'names',
    );
  }
}
