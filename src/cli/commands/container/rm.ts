import { forEach } from '../../each.ts';
import { atLeast, type CommandSpec } from '../../spec.ts';

export const command: CommandSpec = {
  use: '[OPTIONS] CONTAINER [CONTAINER...]',
  examples: ['gantry rm -f web', 'gantry rm $(gantry ps -aq)'],
  flags: [
    { name: 'force', short: 'f', type: 'bool', usage: 'Force the removal of a running container (uses SIGKILL)' },
    { name: 'link', short: 'l', type: 'bool', usage: 'Remove the specified link' },
    { name: 'volumes', short: 'v', type: 'bool', usage: 'Remove anonymous volumes associated with the container' },
  ],
  args: atLeast(1),
  complete: ['containers'],
  async run({ args, flags, cli }) {
    const client = await cli.client();
    const options = { force: flags.bool('force'), volumes: flags.bool('volumes'), link: flags.bool('link') };
    const missing = new Set<string>();
    const remove = async (given: string): Promise<void> => {
      const name = given.replace(/^\/+|\/+$/g, '');
      if (name === '') throw new Error('container name cannot be empty');
      try {
        await client.containers.remove(name, options);
      } catch (error) {
        // With --force, what is not there needs no removal; it is still said.
        if (options.force && error instanceof Error && error.message.startsWith('No such container')) {
          missing.add(given);
          cli.warn(`Error response from daemon: ${error.message}\n`);
          return;
        }
        throw error;
      }
    };
    await forEach(args, remove, (given) => {
      if (!missing.has(given)) cli.print(`${given}\n`);
    });
  },
};
