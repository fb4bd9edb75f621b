import assert from 'node:assert/strict';
import { mkdtempSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { HostServers } from './host-servers.ts';

test('a changed, replaced or removed resolv.conf is seen within a second, and not looked at for every question', () => {
  const directory = mkdtempSync(join(tmpdir(), 'gt-resolv-'));
  try {
    const path = join(directory, 'resolv.conf');
    writeFileSync(path, 'nameserver 192.0.2.1\n');
    const servers = new HostServers(path);
    assert.deepEqual(servers.current(0), ['192.0.2.1']);
    writeFileSync(path, 'nameserver 192.0.2.2\nnameserver 192.0.2.3\n');
    assert.deepEqual(servers.current(900), ['192.0.2.1']);
    assert.deepEqual(servers.current(1000), ['192.0.2.2', '192.0.2.3']);
    // As resolvconf and NetworkManager do; an older file may take the place.
    writeFileSync(join(directory, 'new'), 'nameserver 192.0.2.4\n');
    utimesSync(join(directory, 'new'), 1, 1);
    renameSync(join(directory, 'new'), path);
    assert.deepEqual(servers.current(2000), ['192.0.2.4']);
    rmSync(path);
    assert.deepEqual(servers.current(3000), []);
    writeFileSync(path, 'nameserver 192.0.2.5\n');
    assert.deepEqual(servers.current(4000), ['192.0.2.5']);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});
