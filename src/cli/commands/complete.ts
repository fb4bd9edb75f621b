import { candidates } from '../completion/candidates.ts';
import { atLeast, type CommandSpec, ExitError } from '../spec.ts';

export const command: CommandSpec = {
  use: '[WORD...]',
  examples: [],
  flags: [],
  args: atLeast(0),
  interspersed: false,
  async run({ args, cli }) {
    try {
      cli.print((await candidates(cli, args)).map((line) => `${line}\n`).join(''));
    } catch {
      // A shell that asks for completions wants no messages, and no daemon started for them.
      throw new ExitError(1);
    }
  },
};
