import { registryAuth } from '../credentials.ts';
import { filterMap } from '../filters.ts';
import { renderRows } from '../format/rows.ts';
import { ellipsis } from '../format/text.ts';
import { type CommandSpec, exactly } from '../spec.ts';

const TABLE = {
  type: 'registry.searchContext',
  headers: {
    Name: 'NAME',
    Description: 'DESCRIPTION',
    StarCount: 'STARS',
    IsOfficial: 'OFFICIAL',
    IsAutomated: 'AUTOMATED',
  },
};

export const command: CommandSpec = {
  use: '[OPTIONS] TERM',
  examples: ['gantry search --filter is-official=true --limit 5 nginx'],
  flags: [
    { name: 'filter', short: 'f', type: 'filter', usage: 'Filter output based on conditions provided' },
    { name: 'format', type: 'string', usage: 'Pretty-print search using a Go template' },
    { name: 'limit', type: 'int', usage: 'Max number of search results' },
    { name: 'no-trunc', type: 'bool', usage: "Don't truncate output" },
    { name: 'automated', type: 'bool', usage: '', hidden: true, deprecated: 'use --filter=is-automated=true instead' },
    { name: 'stars', short: 's', type: 'uint', usage: '', hidden: true, deprecated: 'use --filter=stars=3 instead' },
  ],
  args: exactly(1),
  async run({ args, flags, cli }) {
    const term = args[0]!;
    const host = term.includes('/') && /[.:]/.test(term.split('/')[0]!) ? term.split('/')[0]! : 'docker.io';
    const filters: Record<string, readonly string[]> = { ...filterMap(flags.list('filter')) };
    if (flags.bool('automated')) filters['is-automated'] = ['true'];
    if (flags.changed('stars')) filters.stars = [flags.text('stars')];
    const client = await cli.client();
    const results = await client.images.search(term, {
      limit: flags.int('limit'),
      filters,
      auth: await registryAuth(cli, host),
    });
    const trunc = !flags.bool('no-trunc');
    const yes = (value: boolean): string => (value ? '[OK]' : '');
    const rows = results.map((result) => ({
      Name: () => result.name,
      Description: () => {
        const text = result.description.replaceAll('\n', ' ').replaceAll('\r', ' ');
        return trunc ? ellipsis(text, 45) : text;
      },
      StarCount: () => String(result.star_count),
      IsOfficial: () => yes(result.is_official),
      IsAutomated: () => yes(result.is_automated),
    }));
    const given = flags.text('format');
    const format =
      given === '' || given === 'table'
        ? 'table {{.Name}}\\t{{.Description}}\\t{{.StarCount}}\\t{{.IsOfficial}}'
        : given;
    cli.print(renderRows(format, TABLE, rows));
  },
};
