import { type CommandSpec, exactly } from '../../spec.ts';

export const command: CommandSpec = {
  use: '[OPTIONS] NETWORK CONTAINER',
  examples: ['gantry network disconnect backend web'],
  flags: [{ name: 'force', short: 'f', type: 'bool', usage: 'Force the container to disconnect from a network' }],
  args: exactly(2),
  complete: ['networks', 'containers'],
  completeInOrder: true,
  async run({ args, flags, cli }) {
    const client = await cli.client();
    await client.networks.disconnect(args[0]!, args[1]!, flags.bool('force'));
  },
};
