import { filterMap } from '../../filters.ts';
import { size4 } from '../../format/size.ts';
import { type CommandSpec, noArgs } from '../../spec.ts';
import { confirm } from '../../terminal/confirm.ts';

export const command: CommandSpec = {
  use: '[OPTIONS]',
  examples: ['gantry builder prune --filter until=24h'],
  flags: [
    { name: 'all', short: 'a', type: 'bool', usage: 'Remove all unused build cache, not just dangling ones' },
    { name: 'filter', type: 'filter', usage: 'Provide filter values (e.g. "until=24h")' },
    { name: 'force', short: 'f', type: 'bool', usage: 'Do not prompt for confirmation' },
    { name: 'keep-storage', type: 'bytes', usage: 'Amount of disk space to keep for cache' },
    { name: 'reserved-space', type: 'bytes', usage: 'Amount of disk space always allowed to keep for cache' },
    { name: 'max-used-space', type: 'bytes', usage: 'Maximum amount of disk space allowed to keep for cache' },
    { name: 'min-free-space', type: 'bytes', usage: 'Target amount of free disk space after pruning' },
  ],
  args: noArgs,
  async run({ flags, cli }) {
    const all = flags.bool('all');
    const what = all ? 'all build cache' : 'all dangling build cache';
    if (
      !flags.bool('force') &&
      !(await confirm(cli, `WARNING! This will remove ${what}. Are you sure you want to continue?`))
    )
      return;
    const client = await cli.client();
    const { CachesDeleted, SpaceReclaimed } = await client.images.pruneBuildCache({
      all,
      filters: filterMap(flags.list('filter')),
      reservedSpace: flags.int('reserved-space') || flags.int('keep-storage') || undefined,
      maxUsedSpace: flags.int('max-used-space') || undefined,
      minFreeSpace: flags.int('min-free-space') || undefined,
    });
    const gone = CachesDeleted ?? [];
    if (gone.length > 0) cli.print(`Deleted build cache objects:\n${gone.join('\n')}\n\n`);
    cli.print(`Total reclaimed space: ${size4(SpaceReclaimed ?? 0)}\n`);
  },
};
