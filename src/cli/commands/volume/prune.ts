import { size4 } from '../../format/size.ts';
import { pruneFilters } from '../../prune-filters.ts';
import { type CommandSpec, noArgs } from '../../spec.ts';
import { confirm } from '../../terminal/confirm.ts';

export const command: CommandSpec = {
  use: '[OPTIONS]',
  examples: ['gantry volume prune', 'gantry volume prune --all --filter label=temporary'],
  flags: [
    { name: 'all', short: 'a', type: 'bool', usage: 'Remove all unused volumes, not just anonymous ones' },
    { name: 'filter', type: 'filter', usage: 'Provide filter values (e.g. "label=<label>")' },
    { name: 'force', short: 'f', type: 'bool', usage: 'Do not prompt for confirmation' },
  ],
  args: noArgs,
  async run({ flags, cli }) {
    const all = flags.bool('all');
    const filters: Record<string, readonly string[]> = { ...pruneFilters(cli, flags.list('filter')) };
    if (all) {
      if (filters.all) throw new Error('conflicting options: cannot specify both --all and --filter all=1');
      filters.all = ['true'];
    }
    const what = all ? 'all local volumes' : 'anonymous local volumes';
    if (
      !flags.bool('force') &&
      !(await confirm(
        cli,
        `WARNING! This will remove ${what} not used by at least one container.\nAre you sure you want to continue?`,
      ))
    )
      return;
    const client = await cli.client();
    const { VolumesDeleted, SpaceReclaimed } = await client.volumes.prune(filters);
    const gone = VolumesDeleted ?? [];
    cli.print(
      `${gone.length > 0 ? `Deleted Volumes:\n${gone.join('\n')}\n\n` : ''}Total reclaimed space: ${size4(SpaceReclaimed ?? 0)}\n`,
    );
  },
};
