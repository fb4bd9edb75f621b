import { inTurn } from '../../each.ts';
import { atLeast, type CommandSpec } from '../../spec.ts';

export const command: CommandSpec = {
  use: 'CONTAINER [CONTAINER...]',
  examples: ['gantry wait job'],
  flags: [],
  args: atLeast(1),
  complete: ['running'],
  async run({ args, cli }) {
    const client = await cli.client();
    await inTurn(args, async (name) => {
      const { result } = await client.containers.wait(name);
      const { StatusCode, Error: failure } = await result;
      if (failure?.Message) throw new Error(failure.Message);
      cli.print(`${StatusCode}\n`);
    });
  },
};
