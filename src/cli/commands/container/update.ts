import type { UpdateContainerBody } from '../../../wire/index.ts';
import { errorText } from '../../dispatch.ts';
import { parseRestart } from '../../run/resources.ts';
import { atLeast, type CommandSpec, ExitError } from '../../spec.ts';

export const command: CommandSpec = {
  use: '[OPTIONS] CONTAINER [CONTAINER...]',
  examples: ['gantry update --memory 512m --memory-swap 1g web'],
  flags: [
    {
      name: 'blkio-weight',
      type: 'uint16',
      usage: 'Block IO (relative weight), between 10 and 1000, or 0 to disable (default 0)',
      default: '0',
    },
    { name: 'cpu-period', type: 'int', usage: 'Limit CPU CFS (Completely Fair Scheduler) period' },
    { name: 'cpu-quota', type: 'int', usage: 'Limit CPU CFS (Completely Fair Scheduler) quota' },
    { name: 'cpu-rt-period', type: 'int', usage: 'Limit the CPU real-time period in microseconds' },
    { name: 'cpu-rt-runtime', type: 'int', usage: 'Limit the CPU real-time runtime in microseconds' },
    { name: 'cpu-shares', short: 'c', type: 'int', usage: 'CPU shares (relative weight)' },
    { name: 'cpus', type: 'decimal', usage: 'Number of CPUs' },
    { name: 'cpuset-cpus', type: 'string', usage: 'CPUs in which to allow execution (0-3, 0,1)' },
    { name: 'cpuset-mems', type: 'string', usage: 'MEMs in which to allow execution (0-3, 0,1)' },
    { name: 'memory', short: 'm', type: 'bytes', usage: 'Memory limit' },
    { name: 'memory-reservation', type: 'bytes', usage: 'Memory soft limit' },
    {
      name: 'memory-swap',
      type: 'bytes',
      unlimited: true,
      usage: 'Swap limit equal to memory plus swap: -1 to enable unlimited swap',
    },
    { name: 'pids-limit', type: 'int', usage: 'Tune container pids limit (set -1 for unlimited)' },
    { name: 'restart', type: 'string', usage: 'Restart policy to apply when a container exits' },
    {
      name: 'kernel-memory',
      type: 'bytes',
      usage: '',
      hidden: true,
      deprecated: 'and no longer supported by the kernel',
    },
  ],
  args: atLeast(1),
  complete: ['containers'],
  async run({ args, flags, cli }) {
    const names = [
      'blkio-weight',
      'cpu-period',
      'cpu-quota',
      'cpu-rt-period',
      'cpu-rt-runtime',
      'cpu-shares',
      'cpus',
      'cpuset-cpus',
      'cpuset-mems',
      'memory',
      'memory-reservation',
      'memory-swap',
      'pids-limit',
      'restart',
    ];
    if (!names.some((name) => flags.changed(name)))
      throw new Error('you must provide one or more flags when using this command');
    const body = {
      BlkioWeight: flags.int('blkio-weight'),
      CpuShares: flags.int('cpu-shares'),
      Memory: flags.int('memory'),
      MemoryReservation: flags.int('memory-reservation'),
      MemorySwap: flags.int('memory-swap'),
      CpuPeriod: flags.int('cpu-period'),
      CpuQuota: flags.int('cpu-quota'),
      CpuRealtimePeriod: flags.int('cpu-rt-period'),
      CpuRealtimeRuntime: flags.int('cpu-rt-runtime'),
      CpusetCpus: flags.text('cpuset-cpus'),
      CpusetMems: flags.text('cpuset-mems'),
      NanoCpus: flags.int('cpus'),
      PidsLimit: flags.changed('pids-limit') ? flags.int('pids-limit') : undefined,
      RestartPolicy: flags.text('restart') === '' ? undefined : parseRestart(flags.text('restart')),
    } as UpdateContainerBody;
    const client = await cli.client();
    const failures: string[] = [];
    const warnings: string[] = [];
    for (const name of args) {
      try {
        const answer = await client.containers.update(name, body);
        cli.print(`${name}\n`);
        warnings.push(...(answer.Warnings ?? []));
      } catch (error) {
        if (error instanceof Error && error.name === 'ConnectionError') throw error;
        failures.push(errorText(error));
      }
    }
    for (const warning of warnings) cli.warn(`${warning}\n`);
    if (failures.length > 0) throw new ExitError(1, failures.join('\n'));
  },
};
