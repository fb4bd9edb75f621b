import { containerBody } from '../../run/container-body.ts';
import { createContainer, pullPolicy } from '../../run/create.ts';
import { createFlags } from '../../run/create-flags.ts';
import { startFailure } from '../../run/start-errors.ts';
import { atLeast, type CommandSpec } from '../../spec.ts';

export const command: CommandSpec = {
  use: '[OPTIONS] IMAGE [COMMAND] [ARG...]',
  examples: ['gantry create --name web -p 8080:80 nginx'],
  flags: createFlags,
  args: atLeast(1),
  interspersed: false,
  complete: ['images'],
  async run({ args, flags, cli }) {
    const [image, ...command] = args as [string, ...string[]];
    let body: ReturnType<typeof containerBody>;
    try {
      pullPolicy(flags);
      body = containerBody(flags, image, command, cli.env);
    } catch (error) {
      throw startFailure(error, 'create');
    }
    const client = await cli.client();
    cli.print(`${await createContainer(cli, client, body, flags)}\n`);
  },
};
