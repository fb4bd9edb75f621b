import { size4 } from '../../format/size.ts';
import { pruneFilters } from '../../prune-filters.ts';
import { type CommandSpec, noArgs } from '../../spec.ts';
import { confirm } from '../../terminal/confirm.ts';

export const command: CommandSpec = {
  use: '[OPTIONS]',
  examples: ['gantry container prune --force --filter until=24h'],
  flags: [
    { name: 'filter', type: 'filter', usage: 'Provide filter values (e.g. "until=<timestamp>")' },
    { name: 'force', short: 'f', type: 'bool', usage: 'Do not prompt for confirmation' },
  ],
  args: noArgs,
  async run({ flags, cli }) {
    if (
      !flags.bool('force') &&
      !(await confirm(cli, 'WARNING! This will remove all stopped containers.\nAre you sure you want to continue?'))
    )
      return;
    const client = await cli.client();
    const { ContainersDeleted, SpaceReclaimed } = await client.containers.prune(
      pruneFilters(cli, flags.list('filter')),
    );
    const gone = ContainersDeleted ?? [];
    cli.print(
      `${gone.length > 0 ? `Deleted Containers:\n${gone.join('\n')}\n\n` : ''}Total reclaimed space: ${size4(SpaceReclaimed ?? 0)}\n`,
    );
  },
};
