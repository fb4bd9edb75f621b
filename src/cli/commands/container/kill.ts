import { forEach } from '../../each.ts';
import { atLeast, type CommandSpec } from '../../spec.ts';

export const command: CommandSpec = {
  use: '[OPTIONS] CONTAINER [CONTAINER...]',
  examples: ['gantry kill --signal=SIGHUP web'],
  flags: [{ name: 'signal', short: 's', type: 'string', usage: 'Signal to send to the container' }],
  args: atLeast(1),
  complete: ['running'],
  async run({ args, flags, cli }) {
    const client = await cli.client();
    await forEach(
      args,
      (name) => client.containers.kill(name, flags.text('signal')),
      (name) => cli.print(`${name}\n`),
    );
  },
};
