import { readText } from '../../../client/index.ts';
import { INSPECT_FORMAT } from '../../format-flags.ts';
import { inspectAll } from '../../inspect-output.ts';
import { atLeast, type CommandSpec } from '../../spec.ts';

export const command: CommandSpec = {
  use: '[OPTIONS] VOLUME [VOLUME...]',
  examples: ["gantry volume inspect -f '{{.Mountpoint}}' data"],
  flags: [INSPECT_FORMAT],
  args: atLeast(1),
  complete: ['volumes'],
  async run({ args, flags, cli }) {
    const client = await cli.client();
    await inspectAll(cli, args, flags.text('format'), 'volume.Volume', async (name) =>
      readText(await client.transport.request('GET', `/volumes/${encodeURIComponent(name)}`)),
    );
  },
};
