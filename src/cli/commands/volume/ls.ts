import { filterMap } from '../../filters.ts';
import { renderRows } from '../../format/rows.ts';
import { volumeRow, volumeTable } from '../../format/volumes.ts';
import { TABLE_FORMAT } from '../../format-flags.ts';
import { type CommandSpec, noArgs } from '../../spec.ts';

export const command: CommandSpec = {
  use: '[OPTIONS]',
  examples: ['gantry volume ls --filter dangling=true'],
  flags: [
    { name: 'cluster', type: 'bool', usage: '', hidden: true },
    { name: 'filter', short: 'f', type: 'filter', usage: 'Provide filter values (e.g. "dangling=true")' },
    TABLE_FORMAT,
    { name: 'quiet', short: 'q', type: 'bool', usage: 'Only display volume names' },
  ],
  args: noArgs,
  async run({ flags, cli }) {
    if (flags.bool('cluster'))
      throw new Error('--cluster lists the volumes of a Swarm: Gantry runs one machine; it has no cluster mode');
    const client = await cli.client();
    const { Volumes } = await client.volumes.list(filterMap(flags.list('filter')));
    const quiet = flags.bool('quiet');
    const given = flags.text('format') || (quiet ? 'table' : cli.config.data.volumesFormat || 'table');
    const format =
      given === 'table'
        ? quiet
          ? '{{.Name}}'
          : 'table {{.Driver}}\\t{{.Name}}'
        : given === 'raw'
          ? quiet
            ? 'name: {{.Name}}'
            : 'name: {{.Name}}\ndriver: {{.Driver}}\n'
          : given;
    const volumes = (Volumes ?? []).toSorted((a, b) => a.Name.localeCompare(b.Name, 'en', { numeric: true }));
    cli.print(renderRows(format, volumeTable, volumes.map(volumeRow)));
  },
};
