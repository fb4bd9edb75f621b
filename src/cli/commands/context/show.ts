import { contextName } from '../../connection.ts';
import { type CommandSpec, noArgs } from '../../spec.ts';

export const command: CommandSpec = {
  use: '',
  short: 'Print the name of the current context',
  flags: [],
  args: noArgs,
  async run({ cli }) {
    cli.print(`${contextName(cli.globals, cli.env, cli.config)}\n`);
  },
};
