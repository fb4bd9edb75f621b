import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { before, describe, it } from 'node:test';
import { busyboxTar } from '../../support/base-image.ts';
import { eventually, execute } from '../../support/index.ts';

const checkout = resolve(import.meta.dirname, '../../..');
const HOST = 'unix:///run/gantry/gantry.sock';

/** The units of packaging/systemd under systemd itself. */
describe('the service', () => {
  async function succeeds(file: string, args: readonly string[], input?: Buffer): Promise<string> {
    const env = { DOCKER_HOST: HOST, GANTRY_NO_AUTOSTART: '1' };
    const outcome = await execute(file, args, { env, ...(input === undefined ? {} : { input }) });
    assert.equal(outcome.code, 0, `${file} ${args.join(' ')}\n${outcome.stdout}\n${outcome.stderr}`);
    return outcome.stdout.trim();
  }
  const systemctl = (...args: string[]) => succeeds('systemctl', args);
  const gantry = (...args: string[]) => succeeds(`${checkout}/bin/gantry`, args);
  const property = async (name: string) => (await systemctl('show', '-P', name, 'gantry.service')).trim();
  const pidOf = (name: string) => gantry('inspect', '-f', '{{.State.Pid}}', name);
  const isActive = async (unit: string) => (await execute('systemctl', ['is-active', unit])).stdout.trim();

  before(async () => {
    await succeeds('cp', [
      `${checkout}/packaging/systemd/gantry.service`,
      `${checkout}/packaging/systemd/gantry.socket`,
      '/etc/systemd/system/',
    ]);
    symlinkSync(`${checkout}/bin/gantryd`, '/usr/local/bin/gantryd');
    await systemctl('daemon-reload');
    await systemctl('enable', '--now', 'gantry.socket');
  });

  it('starts with the first client, and is started when it answers', async () => {
    assert.deepEqual([await isActive('gantry.socket'), await isActive('gantry.service')], ['active', 'inactive']);
    assert.match(await gantry('version', '-f', '{{.Server.Version}}'), /^\d/);
    assert.equal(await isActive('gantry.service'), 'active');
    await succeeds(`${checkout}/bin/gantry`, ['import', '-c', 'CMD ["sh"]', '-', 'busybox:latest'], await busyboxTar());
  });

  it('killed, it is started again, and containers never noticed', async () => {
    await gantry('run', '-d', '--name', 'steady', 'busybox', 'sleep', '100000');
    const [container, daemon] = [await pidOf('steady'), await property('MainPID')];
    await systemctl('daemon-reload');
    assert.deepEqual(
      [await pidOf('steady'), await property('MainPID')],
      [container, daemon],
      'daemon-reload changes nothing',
    );
    process.kill(Number(daemon), 'SIGKILL');
    await eventually('another daemon', async () => {
      const now = await property('MainPID');
      return now !== '0' && now !== daemon && (await isActive('gantry.service')) === 'active';
    });
    assert.equal(await pidOf('steady'), container);
  });

  it('restart stops containers, and starts those that are to be', async () => {
    await gantry('run', '-d', '--name', 'always', '--restart', 'always', 'busybox', 'sleep', '100000');
    const before = await pidOf('always');
    await systemctl('restart', 'gantry.service');
    assert.equal(await gantry('inspect', '-f', '{{.State.Status}}', 'steady'), 'exited');
    const after = await eventually('the container runs again', async () => {
      const pid = await pidOf('always');
      return pid !== '0' && pid;
    });
    assert.notEqual(after, before);
  });

  it('with live-restore, restart leaves them alone; reload reads the configuration', async () => {
    mkdirSync('/etc/gantry', { recursive: true });
    writeFileSync('/etc/gantry/daemon.json', JSON.stringify({ 'live-restore': true }));
    await systemctl('reload', 'gantry.service');
    await eventually('live-restore', async () => (await gantry('info', '-f', '{{.LiveRestoreEnabled}}')) === 'true');
    const before = await pidOf('always');
    await systemctl('restart', 'gantry.service');
    assert.equal(await pidOf('always'), before);
  });

  it('stop ends it, and the socket starts it again', async () => {
    writeFileSync('/etc/gantry/daemon.json', '{}');
    await systemctl('reload', 'gantry.service');
    await eventually(
      'no live-restore',
      async () => (await gantry('info', '-f', '{{.LiveRestoreEnabled}}')) === 'false',
    );
    const container = await pidOf('always');
    await systemctl('stop', 'gantry.service');
    assert.deepEqual([await isActive('gantry.socket'), await isActive('gantry.service')], ['active', 'inactive']);
    assert.throws(() => readFileSync(`/proc/${container}/stat`), { code: 'ENOENT' });
    assert.match(await gantry('ps', '-a', '--format', '{{.Names}}'), /always/);
    await gantry('rm', '-f', 'always', 'steady');
  });
});
