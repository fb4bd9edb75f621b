import { ContextStore } from '../../contexts.ts';
import { type CommandSpec, exactly } from '../../spec.ts';

export const command: CommandSpec = {
  use: 'CONTEXT',
  examples: ['gantry context use far', 'gantry context use default'],
  flags: [],
  args: exactly(1),
  complete: ['contexts'],
  async run({ args, cli }) {
    const name = args[0]!;
    if (name !== 'default') new ContextStore(cli.config.dir).get(name);
    if (name === 'default') delete cli.config.data.currentContext;
    else cli.config.data.currentContext = name;
    cli.config.save();
    cli.print(`${name}\n`);
    cli.warn(`Current context is now ${JSON.stringify(name)}\n`);
    if ((cli.env.DOCKER_HOST ?? '') !== '')
      cli.warn(
        `Warning: DOCKER_HOST environment variable overrides the active context. To use ${JSON.stringify(name)}, either set the global --context flag, or unset DOCKER_HOST environment variable.\n`,
      );
  },
};
