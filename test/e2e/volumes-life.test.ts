import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, it } from 'node:test';
import { execute, TestDaemon } from '../support/index.ts';

const gantry = resolve(import.meta.dirname, '../../bin/gantry');

describe('volumes', () => {
  it('are filled once from the image when two containers start with a new one at the same moment', async () => {
    await using daemon = await TestDaemon.start();
    const run = (name: string) =>
      daemon.ok('run', '--name', name, '-v', 'fresh:/etc', 'busybox', 'sh', '-c', 'wc -c < /etc/passwd');
    const sizes = await Promise.all(['one', 'two', 'three'].map(run));
    assert.equal(new Set(sizes).size, 1);
    assert.notEqual(sizes[0], '0');
    assert.equal(
      await daemon.ok('run', '--rm', '-v', 'fresh:/etc', 'busybox', 'sh', '-c', 'rm /etc/passwd; echo ok'),
      'ok',
    );
    assert.equal(
      await daemon.ok('run', '--rm', '-v', 'fresh:/etc', 'busybox', 'sh', '-c', 'test -e /etc/passwd || echo gone'),
      'gone',
    );
  });

  it('are counted right after the daemon was killed, and anonymous ones go with their container', async () => {
    await using daemon = await TestDaemon.start();
    await daemon.ok('run', '-d', '--name', 'user', '-v', 'named:/n', '-v', '/anonymous', 'busybox', 'sleep', '1000');
    await daemon.crash();
    await daemon.launch();
    const refused = await daemon.gantry(['volume', 'rm', 'named']);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /remove named: volume is in use - \[[0-9a-f]{64}\]/);
    const usage = (await daemon.api('GET', '/system/df?type=volume')).json.Volumes as {
      UsageData: { RefCount: number };
    }[];
    assert.deepEqual(
      usage.map(({ UsageData }) => UsageData.RefCount),
      [1, 1],
    );
    await daemon.ok('rm', '-f', '-v', 'user');
    assert.equal(await daemon.ok('volume', 'ls', '-q'), 'named');
    await daemon.ok('volume', 'rm', 'named');
  });

  it('go out to an archive and come back with owners, modes, hard links and holes', async () => {
    await using daemon = await TestDaemon.start();
    const script =
      'mkdir -m 750 /d/dir; echo content > /d/dir/f; chmod 604 /d/dir/f; chown 12:34 /d/dir/f; ln /d/dir/f /d/link; truncate -s 64M /d/sparse; ln -s nowhere /d/symlink';
    await daemon.ok('run', '--rm', '-v', 'from:/d', 'busybox', 'sh', '-c', script);
    const directory = mkdtempSync(join(tmpdir(), 'gt-export-'));
    try {
      const archive = join(directory, 'f.tar');
      const out = await execute('sh', ['-c', `${gantry} volume export from > ${archive}`], {
        env: { DOCKER_HOST: daemon.host, GANTRY_NO_AUTOSTART: '1' },
      });
      assert.equal(out.code, 0, out.stderr);
      assert.ok(statSync(archive).size < 1024 * 1024, 'holes are kept as holes');
      await daemon.ok('volume', 'create', 'to');
      await daemon.ok('volume', 'import', 'to', archive);
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
    const look = (volume: string) =>
      daemon.ok(
        'run',
        '--rm',
        '-v',
        `${volume}:/d`,
        'busybox',
        'sh',
        '-c',
        'cd /d; stat -c "%n %a %u:%g %h %s" . dir dir/f link sparse; readlink symlink; cat link; du -k sparse | cut -f1',
      );
    assert.equal(await look('to'), await look('from'));
    assert.match(await look('to'), /dir\/f 604 12:34 2 8/);
  });

  it('of a plugin are mounted for containers and left to the plugin', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'gt-plugin-'));
    const calls: string[] = [];
    const home = join(directory, 'home');
    mkdirSync(home);
    writeFileSync(join(home, 'f'), 'from the plugin\n');
    const plugin = createServer(async (request, response) => {
      let text = '';
      for await (const chunk of request) text += String(chunk);
      const { Name } = JSON.parse(text || '{}') as { Name?: string };
      const method = (request.url ?? '').replace(/^\/(VolumeDriver\.)?/, '');
      if (['Create', 'Mount', 'Unmount', 'Remove'].includes(method)) calls.push(`${method} ${Name}`);
      const volume = { Name, Mountpoint: home };
      const answers: Record<string, unknown> = {
        'Plugin.Activate': { Implements: ['VolumeDriver'] },
        Mount: { Mountpoint: home },
        Get: { Volume: volume },
        List: { Volumes: [] },
      };
      response.end(JSON.stringify(answers[method] ?? {}));
    });
    await new Promise<void>((resolve) => plugin.listen(join(directory, 'testdriver.sock'), resolve));
    try {
      await using daemon = await TestDaemon.start({ args: ['--plugin-dir', directory] });
      await daemon.ok('volume', 'create', '-d', 'testdriver', '-o', 'a=b', 'plugged');
      assert.equal(await daemon.ok('run', '--rm', '-v', 'plugged:/d', 'busybox', 'cat', '/d/f'), 'from the plugin');
      assert.equal(
        await daemon.ok('volume', 'inspect', '-f', '{{.Driver}} {{.Mountpoint}}', 'plugged'),
        `testdriver ${home}`,
      );
      const unknown = await daemon.gantry(['volume', 'create', '-d', 'nosuch', 'x1']);
      assert.match(unknown.stderr, /error looking up volume plugin nosuch: plugin "nosuch" not found/);
      await daemon.ok('volume', 'rm', 'plugged');
      // The image has nothing at its place, so that create does not look into it.
      assert.deepEqual(calls, ['Create plugged', 'Mount plugged', 'Unmount plugged', 'Remove plugged']);
    } finally {
      plugin.closeAllConnections();
      plugin.close();
      rmSync(directory, { recursive: true, force: true });
    }
  });

  it('are filled at create, so that a container that never ran serves them, as strictly as it is asked', async () => {
    await using daemon = await TestDaemon.start();
    const ok = (...args: string[]) => daemon.ok(...args);
    await ok('create', '--name', 'data', '-v', '/etc', 'busybox', 'true');
    const look = 'head -c 4 /etc/passwd; touch /etc/new 2>/dev/null && echo written';
    assert.equal(
      await ok('run', '--rm', '--volumes-from', 'data:ro,z', 'busybox', 'sh', '-c', `${look}; true`),
      'root',
    );
    await ok('volume', 'create', 'sub');
    await ok('run', '--rm', '-v', 'sub:/v', 'busybox', 'mkdir', '/v/inner');
    const mount = 'type=volume,source=sub,target=/etc,volume-subpath=inner';
    assert.equal(await ok('run', '--rm', '--mount', mount, 'busybox', 'head', '-c', '4', '/etc/passwd'), 'root');
  });

  it('and binds whose source is gone do not keep files from being copied out of a stopped container', async () => {
    await using daemon = await TestDaemon.start();
    const source = join(daemon.root, 'source');
    const mounted = ['-v', `${source}:/bound`, '-v', 'kept:/kept'];
    await daemon.ok('run', '--name', 'copied', ...mounted, 'busybox', 'sh', '-c', 'echo a > /kept/a; echo b > /b');
    rmSync(source, { recursive: true });
    const copy = (path: string) => daemon.gantry(['cp', `copied:${path}`, '-']);
    for (const path of ['/kept/a', '/b']) assert.equal((await copy(path)).code, 0, (await copy(path)).stderr);
    // Hosts, hostname and resolv.conf are binds of the engine's own.
    assert.match((await copy('/etc/hosts')).stdout, /127\.0\.0\.1\tlocalhost/);
  });

  it('keep the flags of the mount below them', async () => {
    await using daemon = await TestDaemon.start();
    await daemon.ok('volume', 'create', '-o', 'type=tmpfs', '-o', 'device=tmpfs', '-o', 'o=ro,nosuid,noexec', 'flags');
    const line = await daemon.ok('run', '--rm', '-v', 'flags:/d', 'busybox', 'grep', ' /d ', '/proc/mounts');
    for (const flag of ['ro', 'nosuid', 'noexec']) assert.ok(line.split(/[ ,]/).includes(flag), `${flag} in ${line}`);
  });

  it('tell of their life in events', async () => {
    await using daemon = await TestDaemon.start();
    await daemon.ok('run', '--rm', '-v', 'told:/d:ro', 'busybox', 'true');
    await daemon.ok('volume', 'rm', 'told');
    const until = Math.ceil(Date.now() / 1000) + 1;
    const { text } = await daemon.api('GET', `/events?since=0&until=${until}&filters={"type":["volume"]}`);
    const events = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { Action: string; Actor: { ID: string; Attributes: Record<string, string> } });
    assert.deepEqual(
      events.map(({ Action, Actor }) => `${Action} ${Actor.ID}`),
      ['create told', 'mount told', 'unmount told', 'destroy told'],
    );
    const { container, ...attributes } = events[1]?.Actor.Attributes ?? {};
    assert.match(container ?? '', /^[0-9a-f]{64}$/);
    assert.deepEqual(attributes, { destination: '/d', driver: 'local', propagation: '', 'read/write': 'false' });
  });
});
