import { shortId } from '../../../common/index.ts';
import { filterMap } from '../../filters.ts';
import { renderRows } from '../../format/rows.ts';
import { ellipsis } from '../../format/text.ts';
import { TABLE_FORMAT } from '../../format-flags.ts';
import { type CommandSpec, noArgs } from '../../spec.ts';

const TABLE = {
  type: 'plugin.pluginContext',
  headers: {
    ID: 'ID',
    Name: 'NAME',
    Description: 'DESCRIPTION',
    Enabled: 'ENABLED',
    PluginReference: 'IMAGE',
  },
};
interface Plugin {
  Id: string;
  Name: string;
  Enabled: boolean;
  PluginReference?: string;
  Config: { Description: string };
}

export const command: CommandSpec = {
  use: '[OPTIONS]',
  examples: ['gantry plugin ls'],
  flags: [
    { name: 'filter', short: 'f', type: 'filter', usage: 'Provide filter values (e.g. "enabled=true")' },
    TABLE_FORMAT,
    { name: 'no-trunc', type: 'bool', usage: "Don't truncate output" },
    { name: 'quiet', short: 'q', type: 'bool', usage: 'Only display plugin IDs' },
  ],
  args: noArgs,
  async run({ flags, cli }) {
    const client = await cli.client();
    const plugins = (await client.system.plugins(filterMap(flags.list('filter')))) as unknown as Plugin[];
    const quiet = flags.bool('quiet');
    const trunc = !flags.bool('no-trunc');
    const given = flags.text('format') || (quiet ? 'table' : cli.config.data.pluginsFormat || 'table');
    const format =
      given === 'table' ? (quiet ? '{{.ID}}' : 'table {{.ID}}\\t{{.Name}}\\t{{.Description}}\\t{{.Enabled}}') : given;
    const rows = plugins.map((plugin) => ({
      ID: () => (trunc ? shortId(plugin.Id) : plugin.Id),
      Name: () => plugin.Name,
      Description: () =>
        trunc ? ellipsis(plugin.Config.Description.replace(/[\r\n]/g, ' '), 45) : plugin.Config.Description,
      Enabled: () => plugin.Enabled,
      PluginReference: () => plugin.PluginReference ?? '',
    }));
    cli.print(renderRows(format, TABLE, rows));
  },
};
