import { size4 } from '../../format/size.ts';
import { pruneFilters } from '../../prune-filters.ts';
import { type Call, type CommandSpec, noArgs } from '../../spec.ts';
import { confirm } from '../../terminal/confirm.ts';

export const command: CommandSpec = {
  use: '[OPTIONS]',
  examples: ['gantry system prune', 'gantry system prune --all --volumes --force'],
  flags: [
    { name: 'all', short: 'a', type: 'bool', usage: 'Remove all unused images not just dangling ones' },
    { name: 'filter', type: 'filter', usage: 'Provide filter values (e.g. "label=<key>=<value>")' },
    { name: 'force', short: 'f', type: 'bool', usage: 'Do not prompt for confirmation' },
    { name: 'volumes', type: 'bool', usage: 'Prune anonymous volumes' },
  ],
  args: noArgs,
  run,
};

async function run({ flags, cli }: Call): Promise<void> {
  const all = flags.bool('all');
  const volumes = flags.bool('volumes');
  const filters = pruneFilters(cli, flags.list('filter'));
  if (volumes && filters.until) throw new Error('ERROR: The "until" filter is not supported with "--volumes"');
  if (!flags.bool('force') && !(await confirm(cli, warning(all, volumes, flags.list('filter'))))) return;
  const client = await cli.client();
  let space = 0;
  const say = (title: string, names: readonly string[] | null | undefined, size = 0): void => {
    space += size;
    if (names && names.length > 0) cli.print(`${title}:\n${names.join('\n')}\n\n`);
  };
  const containers = await client.containers.prune(filters);
  say('Deleted Containers', containers.ContainersDeleted, containers.SpaceReclaimed);
  const networks = await client.networks.prune(filters);
  say('Deleted Networks', networks.NetworksDeleted);
  if (volumes) {
    const gone = await client.volumes.prune(filters);
    say('Deleted Volumes', gone.VolumesDeleted, gone.SpaceReclaimed);
  }
  const images = await client.images.prune({ ...filters, dangling: [String(!all)] });
  const lines = (images.ImagesDeleted ?? []).map((item) =>
    item.Untagged ? `untagged: ${item.Untagged}` : `deleted: ${item.Deleted}`,
  );
  say('Deleted Images', lines, images.SpaceReclaimed);
  const cache = await client.images.pruneBuildCache({ all, filters });
  say('Deleted build cache objects', cache.CachesDeleted, cache.SpaceReclaimed);
  cli.print(`Total reclaimed space: ${size4(space)}\n`);
}

function warning(all: boolean, volumes: boolean, filters: readonly string[]): string {
  const items = ['all stopped containers', 'all networks not used by at least one container'];
  if (volumes) items.push('all anonymous volumes not used by at least one container');
  items.push(
    all ? 'all images without at least one container associated to them' : 'all dangling images',
    all ? 'all build cache' : 'unused build cache',
  );
  // Only those that every kind of thing knows.
  const common = [...new Set(filters)].filter((filter) => /^(label!?|until)=/.test(filter)).toSorted();
  const shown =
    common.length > 0
      ? `\n  Items to be pruned will be filtered with:\n${common.map((filter) => `  - ${filter}\n`).join('')}`
      : '';
  return `WARNING! This will remove:\n${items.map((item) => `  - ${item}\n`).join('')}${shown}\nAre you sure you want to continue?`;
}
