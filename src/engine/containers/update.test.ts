import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { Limit } from '../../runtime/index.ts';
import { HostConfig, UpdateContainerBody } from '../../wire/index.ts';
import { updatedHost } from './update.ts';

const MB = 2 ** 20;
const ALL: ReadonlySet<Limit> = new Set<Limit>([
  ...(['memory', 'swap', 'reservation', 'swappiness', 'oom-kill', 'pids', 'shares', 'quota', 'cpuset'] as const),
  ...(['io', 'io-weight', 'io-weight-device'] as const),
]);
const update = (host: object, body: object, limits = ALL) =>
  updatedHost({ id: 'one', host: HostConfig.parse(host) }, UpdateContainerBody.parse(body), limits);

it('zero values leave what there is', () => {
  const host = { Memory: 64 * MB, CpuShares: 5, RestartPolicy: { Name: 'always' } };
  const body = { Memory: 0, CpusetCpus: '', Devices: [], RestartPolicy: { Name: '' } };
  assert.deepEqual(update(host, body), { host: HostConfig.parse(host), warnings: [] });
});

it('memory with swap may change where memory is limited', () => {
  const { host } = update({ Memory: 64 * MB, MemorySwap: 80 * MB }, { MemorySwap: 96 * MB });
  assert.deepEqual([host.Memory, host.MemorySwap], [64 * MB, 96 * MB]);
});

it('nought processes are no limit', () => {
  assert.equal(update({ PidsLimit: 5 }, { PidsLimit: 0 }).host.PidsLimit, -1);
});

it('what cannot change is said in a warning', () => {
  const { host, warnings } = update({}, { CgroupParent: '/x', CpuShares: 7, KernelMemory: 9 });
  assert.deepEqual([host.CgroupParent, host.CpuShares], [undefined, 7]);
  assert.deepEqual(warnings, [
    'Specifying a kernel memory limit is deprecated and has no effect.',
    'CgroupParent cannot be updated and is ignored',
  ]);
});

it('what the kernel has not is discarded with a warning', () => {
  const { host, warnings } = update({}, { CpuShares: 7, BlkioWeight: 300 }, new Set(['shares']));
  assert.deepEqual([host.CpuShares, host.BlkioWeight], [7, undefined]);
  assert.deepEqual(warnings, [
    'Your kernel does not support Block I/O weight or the cgroup is not mounted. Weight discarded.',
  ]);
});

const REFUSED: [name: string, host: object, body: object, message: RegExp][] = [
  [
    'memory above memory with swap',
    { Memory: MB, MemorySwap: 64 * MB },
    { Memory: 128 * MB },
    /Cannot update container one: Memory limit should be smaller than already/,
  ],
  [
    'memory with swap below memory',
    { Memory: 64 * MB },
    { MemorySwap: 32 * MB },
    /Minimum memoryswap limit should be larger than memory limit/,
  ],
  ['memory with swap where memory has no limit', {}, { MemorySwap: 32 * MB }, /always set the Memory limit/],
  [
    'both ways at once',
    {},
    { NanoCpus: 1e9, CpuPeriod: 50_000 },
    /: Conflicting options: Nano CPUs and CPU Period cannot both be set$/,
  ],
  ['cpus where there is a quota', { CpuQuota: 5000 }, { NanoCpus: 1e9 }, /Nano CPUs cannot be updated as CPU Quota/],
  ['a quota where there are cpus', { NanoCpus: 1e9 }, { CpuQuota: 5000 }, /CPU Quota cannot be updated as NanoCPUs/],
  ['a policy with --rm', { AutoRemove: true }, { RestartPolicy: { Name: 'always' } }, /AutoRemove is enabled/],
  ['a policy that is none', {}, { RestartPolicy: { Name: 'x' } }, /unknown policy 'x'/],
];
for (const [name, host, body, message] of REFUSED)
  it(`refuses ${name}`, () => assert.throws(() => update(host, body), message));
