import { type CommandSpec, exactly } from '../../spec.ts';
import { saveStream } from '../../terminal/save-stream.ts';

export const command: CommandSpec = {
  use: '[OPTIONS] CONTAINER',
  examples: ['gantry export web > web.tar'],
  flags: [{ name: 'output', short: 'o', type: 'string', usage: 'Write to a file, instead of STDOUT' }],
  args: exactly(1),
  complete: ['containers'],
  async run({ args, flags, cli }) {
    const output = flags.text('output');
    if (output === '' && cli.stdout.isTTY)
      throw new Error('cowardly refusing to save to a terminal. Use the -o flag or redirect');
    const client = await cli.client();
    await saveStream(cli, output, 'failed to export container', (signal) => client.containers.export(args[0]!, signal));
  },
};
