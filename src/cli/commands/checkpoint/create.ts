import { type CommandSpec, exactly } from '../../spec.ts';

export const command: CommandSpec = {
  use: '[OPTIONS] CONTAINER CHECKPOINT',
  examples: ['gantry checkpoint create web before-upgrade'],
  flags: [
    { name: 'checkpoint-dir', type: 'string', usage: 'Use a custom checkpoint storage directory' },
    { name: 'leave-running', type: 'bool', usage: 'Leave the container running after checkpoint' },
  ],
  args: exactly(2),
  complete: ['running'],
  async run({ args, flags, cli }) {
    const client = await cli.client();
    const [container, name] = args as [string, string];
    await client.containers.createCheckpoint(container, {
      CheckpointID: name,
      CheckpointDir: flags.text('checkpoint-dir'),
      Exit: !flags.bool('leave-running'),
    });
    cli.print(`${name}\n`);
  },
};
