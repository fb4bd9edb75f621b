import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, it } from 'node:test';
import { DgramSocket } from 'node-unix-socket';
import { openInstance } from '../../src/daemon/instance.ts';
import { eventually, execute, TestDaemon } from '../support/index.ts';

/** Cgroups of the daemon with this data root. */
async function cgroupsOf(dataRoot: string): Promise<string[]> {
  const found = await execute('find', [
    '/sys/fs/cgroup',
    '-maxdepth',
    '2',
    '-name',
    `gantry-${openInstance(dataRoot).suffix}`,
  ]);
  return found.stdout.split('\n').filter((line) => line !== '');
}

describe('gantryd as a service', () => {
  it('tells the service manager when it is ready, reloads and stops', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'gt-notify-'));
    const manager = new DgramSocket();
    const told: string[] = [];
    manager.on('data', (chunk: Buffer) => told.push(chunk.toString()));
    manager.bind(join(directory, 'notify'));
    try {
      process.env.NOTIFY_SOCKET = join(directory, 'notify');
      await using daemon = await TestDaemon.start();
      delete process.env.NOTIFY_SOCKET;
      await eventually('ready', () => told.length === 1);
      assert.equal((await daemon.ok('run', '--rm', 'busybox', 'env')).includes('NOTIFY_SOCKET'), false);
      daemon.hangUp();
      await eventually('reloaded', () => told.length === 3);
      await daemon.terminate();
      await eventually('stopping', () => told.length === 4);
      assert.match(told[1] ?? '', /^RELOADING=1\nMONOTONIC_USEC=\d+$/);
      assert.deepEqual([told[0], told[2], told[3]], ['READY=1', 'READY=1', 'STOPPING=1']);
    } finally {
      delete process.env.NOTIFY_SOCKET;
      manager.close();
      rmSync(directory, { recursive: true, force: true });
    }
  });

  it('says which state it cannot read, and leaves it as it is', async () => {
    const root = mkdtempSync(join(tmpdir(), 'gt-state-'));
    const start = (data: string) =>
      execute(resolve(import.meta.dirname, '../../bin/gantryd'), [
        ...['-H', `unix://${root}/s`, '--data-root', data],
        ...['--exec-root', `${root}/run`, '--pidfile', `${root}/pid`],
      ]);
    try {
      const garbage = Buffer.alloc(10_000, 'no database ');
      writeFileSync(join(root, 'state.db'), garbage);
      const broken = await start(root);
      assert.equal(broken.code, 1);
      assert.match(
        broken.stderr,
        new RegExp(`cannot open the state database ${root}/state.db: file is not a database`),
      );
      assert.deepEqual(readFileSync(join(root, 'state.db')), garbage);
      assert.deepEqual(await cgroupsOf(root), [], 'what the trial of a runtime made is gone');

      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', root]);
      try {
        // Room for the small files of a start, none for a database.
        writeFileSync(join(root, 'fill'), Buffer.alloc(40_960));
        const full = await start(join(root, 'data'));
        assert.equal(full.code, 1);
        assert.match(full.stderr, /failed to start daemon: .*(disk is full|no space left)/);
      } finally {
        execFileSync('umount', [root]);
      }
    } finally {
      rmSync(root, { recursive: true, force: true });
    }
  });
});
