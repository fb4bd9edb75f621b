import { SCRIPTS } from '../completion/scripts.ts';
import { type CommandSpec, exactly } from '../spec.ts';

export const command: CommandSpec = {
  use: 'bash|zsh|fish',
  examples: ['source <(gantry completion bash)', 'gantry completion fish > ~/.config/fish/completions/gantry.fish'],
  flags: [],
  args: exactly(1),
  choices: Object.keys(SCRIPTS),
  async run({ args, cli }) {
    const script = SCRIPTS[args[0]!];
    if (script === undefined)
      throw new Error(`unknown shell ${JSON.stringify(args[0])}: must be one of ${Object.keys(SCRIPTS).join(', ')}`);
    cli.print(script);
  },
};
