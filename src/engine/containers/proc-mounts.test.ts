import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkProcMount } from './proc-mounts.ts';

const at = (destination: string, source = '/etc', type = 'bind') =>
  checkProcMount({ destination, source, type, options: [] }, destination);

test('nothing is mounted over /proc or inside it, but for what describes the machine', () => {
  assert.throws(() => at('/proc'), /"\/proc" cannot be mounted because it is not of type proc/);
  assert.throws(() => at('/proc/sys'), /"\/proc\/sys" cannot be mounted because it is inside \/proc/);
  assert.throws(() => at('/proc/sys/x', 'tmpfs', 'tmpfs'), /inside \/proc/);
  for (const destination of ['/proc/cpuinfo', '/proc/net/dev', '/process', '/a/proc', '/']) at(destination);
});

test('procfs itself may be there', () => {
  at('/proc', '/proc');
  at('/proc/sys', '/proc/sys');
});
