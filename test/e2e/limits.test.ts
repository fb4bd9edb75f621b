import assert from 'node:assert/strict';
import { existsSync, readdirSync, rmdirSync, statSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { TestDaemon } from '../support/index.ts';

const MB = 2 ** 20;
const UNIFIED = existsSync('/sys/fs/cgroup/cgroup.controllers');

/** A file of a container's own cgroup in each version, and what must stand in it. */
interface Effect {
  v1?: [file: string, text: string | RegExp];
  v2?: [file: string, text: string | RegExp];
}

/** Flags of create and update → what the kernel then holds. */
const LIMITS: Record<string, { flags: string[]; effects: Effect[] }> = {
  'memory and twice as much with swap': {
    flags: ['-m', '64m'],
    effects: [
      {
        v1: ['memory/memory.limit_in_bytes', `${64 * MB}`],
        v2: ['memory.max', `${64 * MB}`],
      },
      { v1: ['memory/memory.memsw.limit_in_bytes', `${128 * MB}`], v2: ['memory.swap.max', `${64 * MB}`] },
    ],
  },
  'swap without end': {
    flags: ['-m', '64m', '--memory-swap', '-1'],
    effects: [{ v1: ['memory/memory.memsw.limit_in_bytes', /^9223372036854771712$/], v2: ['memory.swap.max', 'max'] }],
  },
  'memory reservation': {
    flags: ['-m', '64m', '--memory-reservation', '32m'],
    effects: [{ v1: ['memory/memory.soft_limit_in_bytes', `${32 * MB}`], v2: ['memory.low', `${32 * MB}`] }],
  },
  'memory swappiness, nought too': {
    flags: ['--memory-swappiness', '0'],
    effects: [{ v1: ['memory/memory.swappiness', '0'] }],
  },
  'no OOM killer': {
    flags: ['-m', '64m', '--oom-kill-disable'],
    effects: [{ v1: ['memory/memory.oom_control', /^oom_kill_disable 1$/m] }],
  },
  'cpu shares': {
    flags: ['--cpu-shares', '512'],
    effects: [{ v1: ['cpu/cpu.shares', '512'], v2: ['cpu.weight', /^(20|59)$/] }],
  },
  cpus: {
    flags: ['--cpus', '0.5'],
    effects: [
      { v1: ['cpu/cpu.cfs_quota_us', '50000'], v2: ['cpu.max', '50000 100000'] },
      { v1: ['cpu/cpu.cfs_period_us', '100000'] },
    ],
  },
  'cpu period and quota': {
    flags: ['--cpu-period', '50000', '--cpu-quota', '25000'],
    effects: [
      { v1: ['cpu/cpu.cfs_quota_us', '25000'], v2: ['cpu.max', '25000 50000'] },
      { v1: ['cpu/cpu.cfs_period_us', '50000'] },
    ],
  },
  'cpus to run on': {
    flags: ['--cpuset', '0', '--cpuset-mems', '0'],
    effects: [
      { v1: ['cpuset/cpuset.cpus', '0'], v2: ['cpuset.cpus', '0'] },
      { v1: ['cpuset/cpuset.mems', '0'], v2: ['cpuset.mems', '0'] },
    ],
  },
  'number of processes': {
    flags: ['--pids-limit', '20'],
    effects: [{ v1: ['pids/pids.max', '20'], v2: ['pids.max', '20'] }],
  },
};

describe('limits', () => {
  let daemon: TestDaemon;
  before(async () => {
    daemon = await TestDaemon.start();
  });
  after(() => daemon[Symbol.asyncDispose]());

  const effectsOf = (effects: readonly Effect[]) =>
    effects.flatMap((effect) => {
      const place = UNIFIED ? effect.v2 : effect.v1;
      return place === undefined ? [] : [place];
    });
  const check = (text: string, wanted: string | RegExp, file: string) =>
    wanted instanceof RegExp ? assert.match(text, wanted, file) : assert.equal(text, wanted, file);

  for (const [name, { flags, effects }] of Object.entries(LIMITS))
    it(`${name}: of a new container`, { skip: effectsOf(effects).length === 0 }, async () => {
      for (const [file, wanted] of effectsOf(effects))
        check(await daemon.ok('run', '--rm', ...flags, 'busybox', 'cat', `/sys/fs/cgroup/${file}`), wanted, file);
    });

  it('of a running container are changed by update', async () => {
    await daemon.ok('run', '-d', '--name', 'changed', '-m', '32m', 'busybox', 'sleep', '1000');
    const names = [
      'memory and twice as much with swap',
      'memory reservation',
      'cpu shares',
      'cpus',
      'number of processes',
    ];
    const chosen = names.map((name) => LIMITS[name]!);
    await daemon.ok('update', '--memory-swap', '128m', ...chosen.flatMap(({ flags }) => flags), 'changed');
    for (const [file, wanted] of chosen.flatMap(({ effects }) => effectsOf(effects)))
      check(await daemon.ok('exec', 'changed', 'cat', `/sys/fs/cgroup/${file}`), wanted, file);
    await daemon.ok('rm', '-f', 'changed');
  });

  it('of a block device are set for it', { skip: blockDevice() === undefined }, async () => {
    const { path, numbers } = blockDevice()!;
    const files = { 'read-bps': '1mb', 'write-bps': '2mb', 'read-iops': '100', 'write-iops': '200' };
    const flags = Object.entries(files).flatMap(([what, rate]) => [`--device-${what}`, `${path}:${rate}`]);
    const read = UNIFIED
      ? 'cat /sys/fs/cgroup/io.max'
      : 'cd /sys/fs/cgroup/blkio; for f in read_bps write_bps read_iops write_iops; do cat blkio.throttle.${f}_device; done';
    const text = await daemon.ok('run', '--rm', ...flags, 'busybox', 'sh', '-c', read);
    if (UNIFIED) assert.equal(text, `${numbers} rbps=${MB} wbps=${2 * MB} riops=100 wiops=200`);
    else
      assert.deepEqual(
        text.split('\n'),
        [MB, 2 * MB, 100, 200].map((rate) => `${numbers} ${rate}`),
      );
  });

  it('are those of the parent that was asked for', async () => {
    const text = await daemon.ok('run', '--rm', '--cgroup-parent', '/gt-parent', 'busybox', 'cat', '/proc/self/cgroup');
    assert.match(text, /:\/gt-parent\/[0-9a-f]{64}$/m);
    // The parent is whoever named it's to remove; that it can be shows that nothing is left in it.
    for (const name of ['', ...readdirSync('/sys/fs/cgroup')]) {
      const parent = `/sys/fs/cgroup/${name}/gt-parent`;
      if (existsSync(parent)) rmdirSync(parent);
    }
  });

  it('keep devices away that were not given, and open those of a rule', async () => {
    const read = 'mknod /z c 10 229; head -c 0 /z && echo opened';
    const denied = await daemon.gantry(['run', '--rm', 'busybox', 'sh', '-c', read]);
    assert.match(denied.stderr, /Operation not permitted/);
    assert.equal(
      await daemon.ok('run', '--rm', '--device-cgroup-rule', 'c 10:229 rwm', 'busybox', 'sh', '-c', read),
      'opened',
    );
  });

  it('are writable inside only where that was asked for', async () => {
    const write = 'd=/sys/fs/cgroup; [ -d $d/memory ] && d=$d/memory; mkdir $d/inner';
    const denied = await daemon.gantry(['run', '--rm', 'busybox', 'sh', '-c', write]);
    assert.match(denied.stderr, /Read-only file system/);
    await daemon.ok('run', '--rm', '--security-opt', 'writable-cgroups=true', 'busybox', 'sh', '-c', write);
  });
});

function blockDevice(): { path: string; numbers: string } | undefined {
  const name = readdirSync('/sys/block').find((entry) => existsSync(`/dev/${entry}`));
  if (name === undefined) return undefined;
  const { rdev } = statSync(`/dev/${name}`);
  return { path: `/dev/${name}`, numbers: `${rdev >>> 8}:${rdev & 0xff}` };
}
