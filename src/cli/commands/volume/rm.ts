import { inTurn } from '../../each.ts';
import { atLeast, type CommandSpec } from '../../spec.ts';

export const command: CommandSpec = {
  use: '[OPTIONS] VOLUME [VOLUME...]',
  long: 'Remove one or more volumes. You cannot remove a volume that is in use by a container.',
  examples: ['gantry volume rm data'],
  flags: [{ name: 'force', short: 'f', type: 'bool', usage: 'Force the removal of one or more volumes' }],
  args: atLeast(1),
  complete: ['volumes'],
  async run({ args, flags, cli }) {
    const client = await cli.client();
    await inTurn(args, async (name) => {
      await client.volumes.remove(name, flags.bool('force'));
      cli.print(`${name}\n`);
    });
  },
};
