import { size4 } from '../../format/size.ts';
import { pruneFilters } from '../../prune-filters.ts';
import { type CommandSpec, noArgs } from '../../spec.ts';
import { confirm } from '../../terminal/confirm.ts';

export const command: CommandSpec = {
  use: '[OPTIONS]',
  examples: ['gantry image prune', 'gantry image prune --all --force --filter until=240h'],
  flags: [
    { name: 'all', short: 'a', type: 'bool', usage: 'Remove all unused images, not just dangling ones' },
    { name: 'filter', type: 'filter', usage: 'Provide filter values (e.g. "until=<timestamp>")' },
    { name: 'force', short: 'f', type: 'bool', usage: 'Do not prompt for confirmation' },
  ],
  args: noArgs,
  async run({ flags, cli }) {
    const all = flags.bool('all');
    const warning = all
      ? 'WARNING! This will remove all images without at least one container associated to them.'
      : 'WARNING! This will remove all dangling images.';
    if (!flags.bool('force') && !(await confirm(cli, `${warning}\nAre you sure you want to continue?`))) return;
    const client = await cli.client();
    const filters = { ...pruneFilters(cli, flags.list('filter')), dangling: [String(!all)] };
    const { ImagesDeleted, SpaceReclaimed } = await client.images.prune(filters);
    const lines = (ImagesDeleted ?? []).map((item) =>
      item.Untagged ? `untagged: ${item.Untagged}\n` : `deleted: ${item.Deleted}\n`,
    );
    cli.print(
      `${lines.length > 0 ? `Deleted Images:\n${lines.join('')}\n` : ''}Total reclaimed space: ${size4(SpaceReclaimed ?? 0)}\n`,
    );
  },
};
