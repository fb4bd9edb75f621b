import { createReadStream } from 'node:fs';
import { between, type CommandSpec } from '../../spec.ts';
import { byteProgress } from '../../terminal/byte-progress.ts';
import { openInput } from '../../terminal/open-input.ts';

export const command: CommandSpec = {
  use: 'VOLUME [file|-]',
  long: 'Unpack a tar archive, plain or compressed, into a volume. The volume is made if it is not there; files it holds already are replaced by those of the same name.',
  examples: ['gantry volume import data data.tar', 'gantry volume export a | gantry volume import b -'],
  flags: [],
  args: between(1, 2),
  complete: ['volumes', 'files'],
  completeInOrder: true,
  async run({ args, cli }) {
    const [name, source = '-'] = args as [string, string | undefined];
    if (source === '-' && cli.stdin.isTTY) throw new Error('requested import from stdin, but stdin is a terminal');
    if (source !== '-') await openInput(source);
    const client = await cli.client();
    await client.volumes.create({ Name: name } as Parameters<typeof client.volumes.create>[0]);
    const input = source === '-' ? cli.stdin : createReadStream(source);
    await client.volumes.import(name, input.pipe(byteProgress(cli, 'Importing')));
    cli.print(`${name}\n`);
  },
};
