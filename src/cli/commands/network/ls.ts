import { shortId } from '../../../common/index.ts';
import type { NetworkInspect } from '../../../wire/index.ts';
import { filterMap } from '../../filters.ts';
import { type RowMethods, renderRows, type TableSpec } from '../../format/rows.ts';
import { goTime, labelsText } from '../../format/text.ts';
import { TABLE_FORMAT } from '../../format-flags.ts';
import { type CommandSpec, noArgs } from '../../spec.ts';

const TABLE: TableSpec = {
  type: 'network.networkContext',
  headers: {
    ID: 'NETWORK ID',
    Name: 'NAME',
    Driver: 'DRIVER',
    Scope: 'SCOPE',
    IPv4: 'IPV4',
    IPv6: 'IPV6',
    Internal: 'INTERNAL',
    Labels: 'LABELS',
    CreatedAt: 'CREATED AT',
  },
};

export const command: CommandSpec = {
  use: '[OPTIONS]',
  examples: ['gantry network ls --filter driver=bridge'],
  flags: [
    { name: 'filter', short: 'f', type: 'filter', usage: 'Provide filter values (e.g. "driver=bridge")' },
    TABLE_FORMAT,
    { name: 'no-trunc', type: 'bool', usage: 'Do not truncate the output' },
    { name: 'quiet', short: 'q', type: 'bool', usage: 'Only display network IDs' },
  ],
  args: noArgs,
  async run({ flags, cli }) {
    const client = await cli.client();
    const networks = await client.networks.list(filterMap(flags.list('filter')));
    const quiet = flags.bool('quiet');
    const given = flags.text('format') || (quiet ? 'table' : cli.config.data.networksFormat || 'table');
    const plain = quiet ? '{{.ID}}' : 'table {{.ID}}\\t{{.Name}}\\t{{.Driver}}\\t{{.Scope}}';
    const format =
      given === 'table'
        ? plain
        : given === 'raw'
          ? quiet
            ? 'network_id: {{.ID}}'
            : 'network_id: {{.ID}}\nname: {{.Name}}\ndriver: {{.Driver}}\nscope: {{.Scope}}\n'
          : given;
    const sorted = networks.toSorted((a, b) => a.Name.localeCompare(b.Name, 'en', { numeric: true }));
    const trunc = !flags.bool('no-trunc');
    cli.print(
      renderRows(
        format,
        TABLE,
        sorted.map((network) => row(network, trunc)),
      ),
    );
  },
};

function row(network: NetworkInspect, trunc: boolean): RowMethods {
  return {
    ID: () => (trunc ? shortId(network.Id) : network.Id),
    Name: () => network.Name,
    Driver: () => network.Driver,
    Scope: () => network.Scope,
    IPv4: () => String(network.EnableIPv4),
    IPv6: () => String(network.EnableIPv6),
    Internal: () => String(network.Internal),
    Labels: () => labelsText(network.Labels),
    Label: (name: string) => network.Labels?.[name] ?? '',
    CreatedAt: () => goTime(Date.parse(network.Created) / 1000, /\.\d+/.exec(network.Created)?.[0] ?? ''),
  };
}
