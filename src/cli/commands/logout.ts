import { eraseAuth, HUB, hostOf, serverKey } from '../credentials.ts';
import { atMost, type CommandSpec } from '../spec.ts';

export const command: CommandSpec = {
  use: '[SERVER]',
  long: 'Log out from a registry.\nIf no server is specified, the default is defined by the daemon.',
  examples: ['gantry logout registry.example.com'],
  flags: [],
  args: atMost(1),
  async run({ args, cli }) {
    const given = args[0];
    const key = given === undefined || given === 'docker.io' ? HUB : serverKey(hostOf(given));
    const shown = given === undefined ? HUB : hostOf(given);
    cli.print(`Removing login credentials for ${shown}\n`);
    try {
      if (!(await eraseAuth(cli, key))) cli.warn(`Not logged in to ${shown}\n`);
    } catch (error) {
      // As in Docker it is no failure of the command.
      cli.warn(`WARNING: could not erase credentials:\n${shown}: ${(error as Error).message}\n`);
    }
  },
};
