import { contextName } from '../../connection.ts';
import { type CommandSpec, noArgs } from '../../spec.ts';

export const command: CommandSpec = {
  use: '',
  examples: ['gantry context show'],
  flags: [],
  args: noArgs,
  async run({ cli }) {
    cli.print(`${contextName(cli.globals, cli.env, cli.config)}\n`);
  },
};
