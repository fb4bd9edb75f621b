import type { Volume } from '../../../wire/index.ts';
import { filterMap } from '../../filters.ts';
import { type RowMethods, renderRows, type TableSpec } from '../../format/rows.ts';
import { size4 } from '../../format/size.ts';
import { labelsText } from '../../format/text.ts';
import { TABLE_FORMAT } from '../../format-flags.ts';
import { type CommandSpec, noArgs } from '../../spec.ts';

const TABLE: TableSpec = {
  type: 'formatter.volumeContext',
  headers: {
    Name: 'VOLUME NAME',
    Driver: 'DRIVER',
    Labels: 'LABELS',
    Links: 'LINKS',
    Mountpoint: 'MOUNTPOINT',
    Scope: 'SCOPE',
    Size: 'SIZE',
    Status: 'STATUS',
    Availability: 'AVAILABILITY',
    Group: 'GROUP',
  },
};

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
          ? 'name: {{.Name}}\ndriver: {{.Driver}}\n'
          : given;
    const volumes = (Volumes ?? []).toSorted((a, b) => a.Name.localeCompare(b.Name, 'en', { numeric: true }));
    cli.print(renderRows(format, TABLE, volumes.map(row)));
  },
};

function row(volume: Volume): RowMethods {
  return {
    Name: () => volume.Name,
    Driver: () => volume.Driver,
    Labels: () => labelsText(volume.Labels),
    Label: (name: string) => volume.Labels?.[name] ?? '',
    Links: () => (volume.UsageData ? String(volume.UsageData.RefCount) : 'N/A'),
    Mountpoint: () => volume.Mountpoint,
    Scope: () => volume.Scope,
    Size: () => (volume.UsageData ? size4(volume.UsageData.Size) : 'N/A'),
    // Cluster volumes have these; there are none here.
    Status: () => 'N/A',
    Availability: () => 'N/A',
    Group: () => 'N/A',
  };
}
