import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { newId } from '../common/index.ts';
import { DEFAULT_CAPABILITIES, makeSpec, openCgroups, openMonitor } from './index.ts';

describe('the monitor', () => {
  let dir: string;
  let monitor: ReturnType<typeof openMonitor>;
  before(() => {
    dir = mkdtempSync(join(tmpdir(), 'gt-mon-'));
    const root = join(dir, 'root');
    for (const name of ['bin', 'etc', 'proc', 'sys', 'dev', 'tmp']) mkdirSync(join(root, name), { recursive: true });
    copyFileSync('/bin/busybox', join(root, 'bin/busybox'));
    for (const name of ['sh', 'sleep', 'echo', 'cat', 'true', 'stty', 'head'])
      symlinkSync('busybox', join(root, 'bin', name));
    monitor = openMonitor({ execRoot: join(dir, 'run'), conmonPath: '/usr/bin/conmon', spillDirectory: dir });
  });
  after(async () => {
    monitor.close();
    await openCgroups('/sys/fs/cgroup', '/gantry-test').remove('/gantry-test');
    rmSync(dir, { recursive: true, force: true });
  });
  const spec = (id: string, args: string[], terminal = false) =>
    makeSpec({
      id,
      args,
      env: ['PATH=/bin'],
      cwd: '/',
      user: { uid: 0, gid: 0, additionalGids: [0] },
      config: { Tty: terminal } as never,
      host: {} as never,
      rootfs: join(dir, 'root'),
      hostname: 'h',
      cgroupsPath: `/gantry-test/${id}`,
      cgroupVersion: 1,
      mounts: [],
      namespaces: { network: 'private', ipc: 'private', pid: 'private', uts: 'private', cgroup: '' },
      shmPath: undefined,
      devices: [],
      seccomp: undefined,
      noNewPrivileges: false,
      writableCgroups: false,
      initPath: undefined,
      rlimits: [],
      availableCapabilities: DEFAULT_CAPABILITIES,
    });
  const runtime = { name: 'runc', path: '/usr/sbin/runc', args: [] };
  const sleeper = async () => {
    const id = newId();
    await monitor.create({
      id,
      name: 'x',
      spec: spec(id, ['sleep', '100']),
      runtime,
      terminal: false,
      stdin: false,
      stdinOnce: false,
    });
    await monitor.start(id);
    return id;
  };
  const text = async (output: AsyncIterable<{ stream: 1 | 2; data: Buffer }>) => {
    let all = '';
    for await (const { stream, data } of output) all += `${stream}:${data}`;
    return all;
  };

  it('runs a process, gives its output and exit code', async () => {
    const id = newId();
    await monitor.create({
      id,
      name: 'x',
      spec: spec(id, ['sh', '-c', 'echo out; echo err >&2; exit 7']),
      runtime,
      terminal: false,
      stdin: false,
      stdinOnce: false,
    });
    const streams = await monitor.attach(id);
    await monitor.start(id);
    const exit = await monitor.wait(id);
    assert.equal(exit.code, 7);
    assert.match(await text(streams.output), /1:out\n/);
    await monitor.delete(id);
  });
  it('passes stdin and closes it', async () => {
    const id = newId();
    await monitor.create({
      id,
      name: 'x',
      spec: spec(id, ['cat']),
      runtime,
      terminal: false,
      stdin: true,
      stdinOnce: true,
    });
    const streams = await monitor.attach(id);
    await monitor.start(id);
    streams.stdin.write('hello');
    streams.closeStdin();
    assert.equal((await monitor.wait(id)).code, 0);
    assert.equal(await text(streams.output), '1:hello');
    await monitor.delete(id);
  });
  it('runs an exec', async () => {
    const id = newId();
    await monitor.create({
      id,
      name: 'x',
      spec: spec(id, ['sleep', '100']),
      runtime,
      terminal: false,
      stdin: false,
      stdinOnce: false,
    });
    await monitor.start(id);
    const handle = await monitor.exec({
      id,
      execId: 'e',
      process: { args: ['sh', '-c', 'echo hi; exit 3'], env: ['PATH=/bin'], cwd: '/' },
      terminal: false,
      stdin: false,
      detach: false,
    });
    assert.equal(await text(handle.output), '1:hi\n');
    assert.equal(await handle.exit, 3);
    await assert.rejects(
      monitor.exec({
        id,
        execId: 'e',
        process: { args: ['nosuch'], env: ['PATH=/bin'], cwd: '/' },
        terminal: false,
        stdin: false,
        detach: false,
      }),
      /executable file not found/,
    );
    await monitor.kill(id, 9);
    assert.equal((await monitor.wait(id)).code, 137);
    await monitor.delete(id);
  });
  it('gives an exec a terminal, its size, and its exit code', async () => {
    const id = await sleeper();
    const handle = await monitor.exec({
      id,
      execId: newId(),
      process: { args: ['sh', '-c', 'read x; stty size; exit 5'], env: ['PATH=/bin'], cwd: '/' },
      terminal: true,
      stdin: true,
      detach: false,
    });
    await handle.resize({ rows: 33, columns: 44 });
    await setTimeout(200);
    handle.stdin.write('go\n');
    assert.match(await text(handle.output), /33 44/);
    assert.equal(await handle.exit, 5);
    await assert.rejects(
      monitor.exec({
        id,
        execId: newId(),
        process: { args: ['/etc'], env: ['PATH=/bin'], cwd: '/' },
        terminal: true,
        stdin: false,
        detach: false,
      }),
      {
        message:
          /^OCI runtime exec failed: exec failed: unable to start container process: exec: "\/etc": (?:is a directory: )?permission denied$/,
      },
    );
    await monitor.delete(id);
  });
  it('is found again by a monitor opened later, running and ended', async () => {
    const id = await sleeper();
    const later = openMonitor({ execRoot: join(dir, 'run'), conmonPath: '/usr/bin/conmon', spillDirectory: dir });
    assert.equal((await later.state(id))?.status, 'running');
    await later.kill(id, 15);
    await later.kill(id, 9);
    later.close();
    const last = openMonitor({ execRoot: join(dir, 'run'), conmonPath: '/usr/bin/conmon', spillDirectory: dir });
    assert.equal((await last.wait(id)).code, 137);
    assert.ok((await last.list()).includes(id));
    await last.delete(id);
    assert.equal(await last.state(id), undefined);
    last.close();
  });
  it('knows the exit code of a detached exec', async () => {
    const id = await sleeper();
    const handle = await monitor.exec({
      id,
      execId: newId(),
      process: { args: ['sh', '-c', 'echo lost; exit 6'], env: ['PATH=/bin'], cwd: '/' },
      terminal: false,
      stdin: false,
      detach: true,
    });
    assert.equal(await text(handle.output), '');
    assert.equal(await handle.exit, 6);
    await monitor.delete(id);
  });
  it('makes an exec wait for a slow reader and loses nothing', async () => {
    const id = await sleeper();
    const handle = await monitor.exec({
      id,
      execId: newId(),
      process: { args: ['head', '-c', '20000000', '/dev/zero'], env: ['PATH=/bin'], cwd: '/' },
      terminal: false,
      stdin: false,
      detach: false,
    });
    await setTimeout(300);
    let bytes = 0;
    for await (const { data } of handle.output) bytes += data.length;
    assert.equal(bytes, 20000000);
    assert.equal(await handle.exit, 0);
    await monitor.delete(id);
  });
  it('leaves nothing when its own program is not there', async () => {
    const execRoot = join(dir, 'absent');
    const broken = openMonitor({ execRoot, conmonPath: '/nonexistent/conmon', spillDirectory: execRoot });
    const id = newId();
    const wanted = {
      id,
      name: 'x',
      spec: spec(id, ['true']),
      runtime,
      terminal: false,
      stdin: false,
      stdinOnce: false,
    };
    await assert.rejects(broken.create(wanted), /nonexistent\/conmon: ENOENT/);
    assert.deepEqual(await broken.list(), []);
    broken.close();
  });

  it('says why a command cannot be started', async () => {
    const id = newId();
    await assert.rejects(
      monitor.create({
        id,
        name: 'x',
        spec: spec(id, ['nosuch']),
        runtime,
        terminal: false,
        stdin: false,
        stdinOnce: false,
      }),
      /exec: "nosuch": executable file not found in \$PATH/,
    );
  });
});
