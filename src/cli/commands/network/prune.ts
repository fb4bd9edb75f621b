import { pruneFilters } from '../../prune-filters.ts';
import { type CommandSpec, noArgs } from '../../spec.ts';
import { confirm } from '../../terminal/confirm.ts';

export const command: CommandSpec = {
  use: '[OPTIONS]',
  examples: ['gantry network prune --force'],
  flags: [
    { name: 'filter', type: 'filter', usage: 'Provide filter values (e.g. "until=<timestamp>")' },
    { name: 'force', short: 'f', type: 'bool', usage: 'Do not prompt for confirmation' },
  ],
  args: noArgs,
  async run({ flags, cli }) {
    const warning =
      'WARNING! This will remove all custom networks not used by at least one container.\nAre you sure you want to continue?';
    if (!flags.bool('force') && !(await confirm(cli, warning))) return;
    const client = await cli.client();
    const { NetworksDeleted } = await client.networks.prune(pruneFilters(cli, flags.list('filter')));
    const gone = NetworksDeleted ?? [];
    if (gone.length > 0) cli.print(`Deleted Networks:\n${gone.join('\n')}\n\n`);
  },
};
