import { type CommandSpec, exactly } from '../../spec.ts';
import { saveStream } from '../../terminal/save-stream.ts';

export const command: CommandSpec = {
  use: '[OPTIONS] VOLUME',
  examples: ['gantry volume export -o data.tar data', 'gantry volume export data | gzip > data.tar.gz'],
  flags: [{ name: 'output', short: 'o', type: 'string', usage: 'Write to a file, instead of STDOUT' }],
  args: exactly(1),
  complete: ['volumes'],
  async run({ args, flags, cli }) {
    const output = flags.text('output');
    if (output === '' && cli.stdout.isTTY)
      throw new Error('cowardly refusing to save to a terminal. Use the -o flag or redirect');
    const client = await cli.client();
    await saveStream(cli, output, 'failed to export volume', (signal) => client.volumes.export(args[0]!, signal));
  },
};
