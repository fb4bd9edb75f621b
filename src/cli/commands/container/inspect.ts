import { readText } from '../../../client/index.ts';
import { INSPECT_FORMAT } from '../../format-flags.ts';
import { inspectAll } from '../../inspect-output.ts';
import { atLeast, type CommandSpec } from '../../spec.ts';

export const command: CommandSpec = {
  use: '[OPTIONS] CONTAINER [CONTAINER...]',
  examples: ["gantry container inspect -f '{{.State.Status}}' web"],
  flags: [INSPECT_FORMAT, { name: 'size', short: 's', type: 'bool', usage: 'Display total file sizes' }],
  args: atLeast(1),
  complete: ['containers'],
  async run({ args, flags, cli }) {
    const client = await cli.client();
    await inspectAll(cli, args, flags.text('format'), 'container.InspectResponse', async (name) =>
      readText(
        await client.transport.request('GET', `/containers/${encodeURIComponent(name)}/json`, {
          query: { size: flags.bool('size') },
        }),
      ),
    );
  },
};
