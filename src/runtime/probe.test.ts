import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, it } from 'node:test';
import { chooseRuntime, openCgroups, probeRuntime } from './index.ts';

/** Its own: other files' tests run at the same time. */
const CGROUP = '/gantry-test-probe';
const directory = mkdtempSync(join(tmpdir(), 'gt-probe-'));
after(async () => {
  rmSync(directory, { recursive: true, force: true });
  await openCgroups('/sys/fs/cgroup', CGROUP).remove(CGROUP);
});
const runc = { name: 'runc', path: '/usr/sbin/runc', args: [] };
const absent = { name: 'absent', path: '/nonexistent/runtime', args: [] };
const silent = { name: 'silent', path: '/bin/true', args: [] };

it('takes a runtime that gets as far as looking for the program', async () => {
  assert.equal((await probeRuntime(runc, directory, `${CGROUP}/probe`)).complaint, undefined);
});
it('takes the first that works and keeps why the others were refused', async () => {
  const { chosen, refused } = await chooseRuntime([absent, silent, runc], directory, `${CGROUP}/probe`);
  assert.equal(chosen, runc);
  assert.deepEqual(
    refused.map(({ runtime }) => runtime.name),
    ['absent', 'silent'],
  );
  assert.match(refused[0]?.complaint ?? '', /ENOENT/);
});
