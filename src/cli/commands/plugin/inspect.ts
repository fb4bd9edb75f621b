import { readText } from '../../../client/index.ts';
import { INSPECT_FORMAT } from '../../format-flags.ts';
import { inspectAll } from '../../inspect-output.ts';
import { atLeast, type CommandSpec } from '../../spec.ts';

export const command: CommandSpec = {
  use: '[OPTIONS] PLUGIN [PLUGIN...]',
  examples: ['gantry plugin inspect example'],
  flags: [INSPECT_FORMAT],
  args: atLeast(1),
  async run({ args, flags, cli }) {
    const client = await cli.client();
    await inspectAll(cli, args, flags.text('format'), undefined, async (name) =>
      readText(
        await client.transport.request('GET', `/plugins/${name.split('/').map(encodeURIComponent).join('/')}/json`),
      ),
    );
  },
};
