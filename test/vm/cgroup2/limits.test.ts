import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { eventually, TestDaemon } from '../../support/index.ts';

/** The same limits on a machine with nothing but cgroup v2: what the container reads in its own /sys/fs/cgroup, and what the API says. */
describe('cgroup v2', () => {
  let daemon: TestDaemon;
  before(async () => {
    daemon = await TestDaemon.start();
  });
  after(() => daemon[Symbol.asyncDispose]());

  const run = async (hostConfig: Record<string, unknown>, command: string) => {
    const created = await daemon.api('POST', '/containers/create', {
      Image: 'busybox',
      Cmd: ['sh', '-c', command],
      HostConfig: hostConfig,
    });
    assert.equal(created.status, 201, created.text);
    const { Id } = created.json as { Id: string };
    const started = await daemon.api('POST', `/containers/${Id}/start`);
    assert.equal(started.status, 204, started.text);
    return Id;
  };
  const output = async (hostConfig: Record<string, unknown>, command: string) => {
    const id = await run(hostConfig, command);
    const { StatusCode } = (await daemon.api('POST', `/containers/${id}/wait`)).json as { StatusCode: number };
    const logs = await daemon.api('GET', `/containers/${id}/logs?stdout=1&stderr=1`);
    await daemon.api('DELETE', `/containers/${id}?force=1`);
    // One header of eight bytes a frame.
    return { code: StatusCode, text: logs.text.replace(/[\x00-\x02]\0\0\0[\s\S]{4}/g, '').trim() };
  };

  it('is what the daemon reports', async () => {
    const info = (await daemon.api('GET', '/info')).json as { CgroupVersion: string };
    assert.equal(info.CgroupVersion, '2');
  });
  it('limits memory and swap', async () => {
    const result = await output(
      { Memory: 64 * 2 ** 20, MemorySwap: 96 * 2 ** 20 },
      'cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory.swap.max',
    );
    assert.equal(result.text, `${64 * 2 ** 20}\n${32 * 2 ** 20}`);
  });
  it('limits cpu time and weight', async () => {
    const result = await output(
      { NanoCpus: 500_000_000, CpuShares: 512 },
      'cat /sys/fs/cgroup/cpu.max /sys/fs/cgroup/cpu.weight',
    );
    assert.match(result.text, /^50000 100000\n\d+$/);
  });
  it('limits the number of processes', async () => {
    assert.equal((await output({ PidsLimit: 20 }, 'cat /sys/fs/cgroup/pids.max')).text, '20');
  });
  it('pins to cpus', async () => {
    assert.equal((await output({ CpusetCpus: '1' }, 'cat /sys/fs/cgroup/cpuset.cpus')).text, '1');
  });
  it('denies devices that were not given', async () => {
    const result = await output({ CapAdd: ['MKNOD'] }, 'mknod /d b 254 0; cat /d 2>&1; echo code $?');
    assert.match(result.text, /Operation not permitted[\s\S]*code 1/);
  });
  it('sees an out-of-memory kill', async () => {
    const id = await run({ Memory: 16 * 2 ** 20, MemorySwap: 16 * 2 ** 20 }, 'x=a; while :; do x=$x$x; done');
    await daemon.api('POST', `/containers/${id}/wait`);
    const { State } = (await daemon.api('GET', `/containers/${id}/json`)).json as {
      State: { OOMKilled: boolean; ExitCode: number };
    };
    assert.deepEqual([State.OOMKilled, State.ExitCode], [true, 137]);
    await daemon.api('DELETE', `/containers/${id}?force=1`);
  });
  it('updates limits of a running container', async () => {
    const id = await run(
      { Memory: 64 * 2 ** 20, MemorySwap: 64 * 2 ** 20 },
      'while [ "$(cat /sys/fs/cgroup/memory.max)" != 134217728 ]; do sleep 0.2; done; echo updated',
    );
    const updated = await daemon.api('POST', `/containers/${id}/update`, {
      Memory: 128 * 2 ** 20,
      MemorySwap: 128 * 2 ** 20,
    });
    assert.equal(updated.status, 200, updated.text);
    await daemon.api('POST', `/containers/${id}/wait`);
    await daemon.api('DELETE', `/containers/${id}?force=1`);
  });
  it('pauses and resumes', async () => {
    const id = await run({}, 'sleep 1000');
    assert.equal((await daemon.api('POST', `/containers/${id}/pause`)).status, 204);
    const { State } = (await daemon.api('GET', `/containers/${id}/json`)).json as {
      State: { Status: string; Pid: number };
    };
    assert.equal(State.Status, 'paused');
    const group = readFileSync(`/proc/${State.Pid}/cgroup`, 'utf8').trim().split('::')[1];
    assert.equal(readFileSync(`/sys/fs/cgroup${group}/cgroup.freeze`, 'utf8').trim(), '1');
    assert.equal((await daemon.api('POST', `/containers/${id}/unpause`)).status, 204);
    await daemon.api('DELETE', `/containers/${id}?force=1`);
  });
  it('counts cpu, memory and processes', async () => {
    const id = await run({ Memory: 64 * 2 ** 20 }, 'while :; do :; done');
    const stats = await eventually('cpu time', async () => {
      const { json } = await daemon.api('GET', `/containers/${id}/stats?stream=0&one-shot=1`);
      return json.cpu_stats.cpu_usage.total_usage > 0 ? json : undefined;
    });
    assert.equal(stats.memory_stats.limit, 64 * 2 ** 20);
    assert.ok(stats.memory_stats.usage > 0 && stats.pids_stats.current >= 1);
    await daemon.api('DELETE', `/containers/${id}?force=1`);
  });
});
