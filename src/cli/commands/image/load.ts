import { createReadStream } from 'node:fs';
import { jsonLines } from '../../../client/index.ts';
import type { ProgressMessage } from '../../../wire/index.ts';
import { type CommandSpec, noArgs } from '../../spec.ts';
import { openInput } from '../../terminal/open-input.ts';
import { asExit, showProgress } from '../../terminal/progress.ts';

export const command: CommandSpec = {
  use: '[OPTIONS]',
  examples: ['gantry load -i images.tar', 'gantry save web | ssh host gantry load'],
  flags: [
    { name: 'input', short: 'i', type: 'string', usage: 'Read from tar archive file, instead of STDIN' },
    {
      name: 'platform',
      type: 'string',
      usage: 'Load only the given platform variant. Formatted as "os[/arch[/variant]]" (e.g., "linux/amd64")',
    },
    { name: 'quiet', short: 'q', type: 'bool', usage: 'Suppress the load output' },
  ],
  args: noArgs,
  async run({ flags, cli }) {
    const input = flags.text('input');
    if (input === '' && cli.stdin.isTTY) throw new Error('requested load from stdin, but stdin is empty');
    if (input !== '') await openInput(input);
    const client = await cli.client();
    const quiet = flags.bool('quiet') || !cli.stdout.isTTY;
    const stream = input === '' ? cli.stdin : createReadStream(input);
    const answer = await client.images.load(stream, { quiet, platform: flags.text('platform') || undefined });
    await showProgress(cli, jsonLines<ProgressMessage>(answer.body), { stream: cli.stdout }).catch(asExit);
  },
};
