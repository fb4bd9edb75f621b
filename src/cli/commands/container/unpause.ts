import { forEach } from '../../each.ts';
import { atLeast, type CommandSpec } from '../../spec.ts';

export const command: CommandSpec = {
  use: 'CONTAINER [CONTAINER...]',
  examples: ['gantry unpause web'],
  flags: [],
  args: atLeast(1),
  complete: ['running'],
  async run({ args, cli }) {
    const client = await cli.client();
    await forEach(
      args,
      (name) => client.containers.unpause(name),
      (name) => cli.print(`${name}\n`),
    );
  },
};
