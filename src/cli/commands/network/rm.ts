import { inTurn } from '../../each.ts';
import { atLeast, type CommandSpec } from '../../spec.ts';

export const command: CommandSpec = {
  use: 'NETWORK [NETWORK...]',
  examples: ['gantry network rm backend'],
  flags: [{ name: 'force', short: 'f', type: 'bool', usage: 'Do not error if the network does not exist' }],
  args: atLeast(1),
  complete: ['networks'],
  async run({ args, flags, cli }) {
    const client = await cli.client();
    const force = flags.bool('force');
    await inTurn(args, async (name) => {
      try {
        await client.networks.remove(name);
      } catch (error) {
        if (force && error instanceof Error && (error as { status?: number }).status === 404) return;
        throw error;
      }
      cli.print(`${name}\n`);
    });
  },
};
