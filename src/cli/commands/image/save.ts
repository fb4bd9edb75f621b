import { atLeast, type CommandSpec } from '../../spec.ts';
import { saveStream } from '../../terminal/save-stream.ts';

export const command: CommandSpec = {
  use: '[OPTIONS] IMAGE [IMAGE...]',
  examples: ['gantry save -o web.tar web:1 web:2', 'gantry save web | gzip > web.tar.gz'],
  flags: [
    { name: 'output', short: 'o', type: 'string', usage: 'Write to a file, instead of STDOUT' },
    {
      name: 'platform',
      type: 'string',
      usage: 'Save only the given platform variant. Formatted as "os[/arch[/variant]]" (e.g., "linux/amd64")',
    },
  ],
  args: atLeast(1),
  complete: ['images'],
  async run({ args, flags, cli }) {
    const output = flags.text('output');
    if (output === '' && cli.stdout.isTTY)
      throw new Error('cowardly refusing to save to a terminal. Use the -o flag or redirect');
    const client = await cli.client();
    await saveStream(cli, output, 'failed to save image', (signal) =>
      client.images.save(args, { platform: flags.text('platform') || undefined, signal }),
    );
  },
};
