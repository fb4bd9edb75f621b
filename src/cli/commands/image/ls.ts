import { filterMap } from '../../filters.ts';
import { imageFormat, imageRow, imageTable, nameImages } from '../../format/images.ts';
import { renderRows } from '../../format/rows.ts';
import { TABLE_FORMAT } from '../../format-flags.ts';
import { atMost, type Call, type CommandSpec } from '../../spec.ts';

export const command: CommandSpec = {
  use: '[OPTIONS] [REPOSITORY[:TAG]]',
  examples: ['gantry images', 'gantry images --filter dangling=true -q', 'gantry images --tree'],
  flags: [
    {
      name: 'all',
      short: 'a',
      type: 'bool',
      usage: 'Show all images (default hides intermediate images)',
      default: 'hides intermediate images',
    },
    { name: 'digests', type: 'bool', usage: 'Show digests' },
    { name: 'filter', short: 'f', type: 'filter', usage: 'Filter output based on conditions provided' },
    TABLE_FORMAT,
    { name: 'no-trunc', type: 'bool', usage: "Don't truncate output" },
    { name: 'quiet', short: 'q', type: 'bool', usage: 'Only show image IDs' },
    { name: 'tree', type: 'bool', usage: 'Show each image with its names and the containers that use it' },
  ],
  args: atMost(1),
  complete: ['images'],
  run,
};

async function run({ args, flags, cli }: Call): Promise<void> {
  const [reference] = args;
  const quiet = flags.bool('quiet');
  const filters = { ...filterMap(flags.list('filter')) };
  if (reference !== undefined && reference !== '') filters.reference = [...(filters.reference ?? []), reference];
  const given = flags.text('format') || (quiet ? 'table' : cli.config.data.imagesFormat || 'table');
  const digests = flags.bool('digests');
  const format = imageFormat(given, quiet, digests);
  const client = await cli.client();
  if (flags.bool('tree')) {
    const [images, containers] = await Promise.all([
      client.images.list({ filters }),
      client.containers.list({ all: true }),
    ]);
    const { imageTree } = await import('../../format/image-tree.ts');
    cli.print(imageTree(images, containers));
    return;
  }
  const images = await client.images.list({ all: flags.bool('all'), filters });
  const options = { trunc: !flags.bool('no-trunc'), nowMs: Date.now() };
  const named = nameImages(images, digests || /\.Digest\b/.test(given), reference);
  cli.print(
    renderRows(
      format,
      imageTable,
      named.map((image) => imageRow(image, options)),
    ),
  );
}
