import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { CompiledFilters } from './compiled-filters.ts';
import { forgetEnded, releaseInit } from './crun.ts';

describe('short cuts through crun', () => {
  let dir: string;
  before(() => {
    dir = mkdtempSync(join(tmpdir(), 'gt-crun-'));
  });
  after(() => rmSync(dir, { recursive: true }));
  const place = (name: string, files: Record<string, string> = {}) => {
    const path = join(dir, name);
    mkdirSync(path, { recursive: true });
    for (const [file, text] of Object.entries(files)) writeFileSync(join(path, file), text);
    return path;
  };

  it('an init that waits gets its byte, once', async () => {
    const state = place('waiting');
    const fifo = join(state, 'exec.fifo');
    execFileSync('mkfifo', [fifo]);
    const reader = spawn('sh', ['-c', 'exec 3<>"$0"; echo ready; exec head -c 1 <&3 | od -An -tx1', fifo]);
    const words: string[] = [];
    reader.stdout.setEncoding('utf8').on('data', (text: string) => words.push(text));
    await new Promise((resolve) => reader.stdout.once('data', resolve));
    assert.equal(releaseInit(state), true);
    await new Promise((resolve) => reader.once('close', resolve));
    assert.match(words.join(''), /ready\n 00\n/);
    assert.equal(existsSync(fifo), false);
    assert.equal(releaseInit(state), false);
  });

  it('nobody who waits: not done', () => {
    const state = place('dead');
    execFileSync('mkfifo', [join(state, 'exec.fifo')]);
    assert.equal(releaseInit(state), false);
    assert.ok(existsSync(join(state, 'exec.fifo')));
  });

  it('an ended container is forgotten with its cgroups', async () => {
    const cgroups = place('cgroups');
    for (const name of ['cpu', 'memory']) mkdirSync(join(cgroups, name, 'g/one'), { recursive: true });
    const status = JSON.stringify({ 'cgroup-path': '/g/one', 'systemd-cgroup': false, pid: 1 });
    const state = place('one', { status, 'config.json': '{}' });
    assert.equal(await forgetEnded(state, cgroups), true);
    assert.equal(existsSync(state), false);
    assert.deepEqual([existsSync(join(cgroups, 'cpu/g')), existsSync(join(cgroups, 'memory/g/one'))], [true, false]);
  });

  it('not one with something left in a cgroup, of a systemd scope, or with a path that leads elsewhere', async () => {
    const cgroups = place('busy');
    mkdirSync(join(cgroups, 'cpu/g/one/nested'), { recursive: true });
    const status = (path: string, systemd = false) =>
      JSON.stringify({ 'cgroup-path': path, 'systemd-cgroup': systemd });
    for (const text of [status('/g/one'), status('/g/two', true), status('/g/../..'), status(''), '{'])
      assert.equal(await forgetEnded(place('two', { status: text }), cgroups), false, text);
    assert.ok(existsSync(join(dir, 'two')) && existsSync(join(cgroups, 'cpu/g/one/nested')));
  });

  it('a compiled filter serves the same profile again, and no other', async () => {
    const filters = new CompiledFilters();
    const spec = (seccomp?: object) => ({ linux: { seccomp }, annotations: { a: 'b' } });
    const state = place('compiled', { 'seccomp.bpf': 'code' });
    const plain = spec({ defaultAction: 'SCMP_ACT_ERRNO' });
    assert.equal(filters.apply(plain), plain);
    await filters.learn(plain, state);
    const again = filters.apply(spec({ defaultAction: 'SCMP_ACT_ERRNO' }));
    assert.deepEqual(again.annotations, { a: 'b', 'run.oci.seccomp_bpf_data': Buffer.from('code').toString('base64') });
    for (const other of [spec(), spec({ defaultAction: 'SCMP_ACT_ALLOW' })]) {
      assert.equal(filters.apply(other), other);
    }
    const flagged = spec({ defaultAction: 'SCMP_ACT_ERRNO', flags: ['SECCOMP_FILTER_FLAG_LOG'] });
    await filters.learn(flagged, state);
    assert.equal(filters.apply(flagged), flagged);
  });
});
