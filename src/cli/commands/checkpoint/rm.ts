import { type CommandSpec, exactly } from '../../spec.ts';

export const command: CommandSpec = {
  use: '[OPTIONS] CONTAINER CHECKPOINT',
  examples: ['gantry checkpoint rm web before-upgrade'],
  flags: [{ name: 'checkpoint-dir', type: 'string', usage: 'Use a custom checkpoint storage directory' }],
  args: exactly(2),
  complete: ['containers'],
  async run({ args, flags, cli }) {
    const client = await cli.client();
    await client.containers.removeCheckpoint(args[0]!, args[1]!, flags.text('checkpoint-dir') || undefined);
  },
};
