import { contextName } from '../../connection.ts';
import { ContextStore } from '../../contexts.ts';
import { inTurn } from '../../each.ts';
import { atLeast, type CommandSpec } from '../../spec.ts';

export const command: CommandSpec = {
  use: 'CONTEXT [CONTEXT...]',
  examples: ['gantry context rm far'],
  flags: [{ name: 'force', short: 'f', type: 'bool', usage: 'Force the removal of a context in use' }],
  args: atLeast(1),
  complete: ['contexts'],
  async run({ args, flags, cli }) {
    const current = contextName(cli.globals, cli.env, cli.config);
    const store = new ContextStore(cli.config.dir);
    await inTurn(args, async (name) => {
      if (name === 'default') throw new Error('context "default" cannot be removed');
      if (name === current && !flags.bool('force'))
        throw new Error(`context ${JSON.stringify(name)} is in use, set -f flag to force remove`);
      if (!store.has(name) && !flags.bool('force')) throw new Error(`context ${JSON.stringify(name)} does not exist`);
      if (cli.config.data.currentContext === name) {
        delete cli.config.data.currentContext;
        cli.config.save();
      }
      store.remove(name);
      cli.print(`${name}\n`);
    });
  },
};
