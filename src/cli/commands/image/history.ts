import { shortId } from '../../../common/index.ts';
import { renderRows } from '../../format/rows.ts';
import { size3 } from '../../format/size.ts';
import { ellipsis, humanDuration, localRfc3339 } from '../../format/text.ts';
import { TABLE_FORMAT } from '../../format-flags.ts';
import { type CommandSpec, exactly } from '../../spec.ts';

const TABLE = {
  type: 'image.historyContext',
  headers: {
    ID: 'IMAGE',
    CreatedSince: 'CREATED',
    CreatedAt: 'CREATED AT',
    CreatedBy: 'CREATED BY',
    Size: 'SIZE',
    Comment: 'COMMENT',
  },
};

export const command: CommandSpec = {
  use: '[OPTIONS] IMAGE',
  examples: ['gantry history --no-trunc web:1'],
  flags: [
    TABLE_FORMAT,
    {
      name: 'human',
      short: 'H',
      type: 'bool',
      usage: 'Print sizes and dates in human readable format (default true)',
      default: 'true',
    },
    { name: 'no-trunc', type: 'bool', usage: "Don't truncate output" },
    {
      name: 'platform',
      type: 'string',
      usage: 'Show history for the given platform. Formatted as "os[/arch[/variant]]" (e.g., "linux/amd64")',
    },
    { name: 'quiet', short: 'q', type: 'bool', usage: 'Only show image IDs' },
  ],
  args: exactly(1),
  complete: ['images'],
  async run({ args, flags, cli }) {
    const client = await cli.client();
    const items = await client.images.history(args[0]!, { platform: flags.text('platform') || undefined });
    const human = flags.bool('human');
    const trunc = !flags.bool('no-trunc');
    const given = flags.text('format') || 'table';
    const since = human ? '{{.CreatedSince}}' : '{{.CreatedAt}}';
    const format =
      given === 'table'
        ? flags.bool('quiet')
          ? '{{.ID}}'
          : `table {{.ID}}\\t${since}\\t{{.CreatedBy}}\\t{{.Size}}\\t{{.Comment}}`
        : given;
    const now = Date.now();
    const rows = items.map((item) => ({
      ID: () => (trunc ? shortId(item.Id) : item.Id),
      CreatedSince: () =>
        item.Created <= 0
          ? 'N/A'
          : human
            ? `${humanDuration(now - item.Created * 1000)} ago`
            : localRfc3339(item.Created),
      CreatedAt: () => (item.Created <= 0 ? 'N/A' : localRfc3339(item.Created)),
      CreatedBy: () => {
        const text = item.CreatedBy.replaceAll('\t', ' ');
        return trunc ? ellipsis(text, 45) : text;
      },
      Size: () => (human ? size3(item.Size) : String(item.Size)),
      Comment: () => item.Comment,
    }));
    cli.print(renderRows(format, TABLE, rows));
  },
};
