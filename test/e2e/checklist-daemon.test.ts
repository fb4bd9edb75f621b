import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { DgramSocket } from 'node-unix-socket';
import { eventually, TestDaemon } from '../support/index.ts';

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
});
