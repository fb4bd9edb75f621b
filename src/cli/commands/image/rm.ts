import { errorText } from '../../dispatch.ts';
import { atLeast, type CommandSpec, ExitError } from '../../spec.ts';

export const command: CommandSpec = {
  use: '[OPTIONS] IMAGE [IMAGE...]',
  examples: ['gantry rmi web:1'],
  flags: [
    { name: 'force', short: 'f', type: 'bool', usage: 'Force removal of the image' },
    { name: 'no-prune', type: 'bool', usage: 'Do not delete untagged parents' },
    {
      name: 'platform',
      type: 'strings',
      usage: 'Remove only the given platform variant. Formatted as "os[/arch[/variant]]" (e.g., "linux/amd64")',
    },
  ],
  args: atLeast(1),
  complete: ['images'],
  async run({ args, flags, cli }) {
    const client = await cli.client();
    const force = flags.bool('force');
    const options = { force, noPrune: flags.bool('no-prune'), platforms: flags.list('platform') };
    const failures: string[] = [];
    let fatal = false;
    for (const name of args) {
      try {
        for (const item of await client.images.remove(name, options))
          cli.print(item.Deleted ? `Deleted: ${item.Deleted}\n` : `Untagged: ${item.Untagged}\n`);
      } catch (error) {
        if (error instanceof Error && error.name === 'ConnectionError') throw error;
        if (!(error instanceof Error && /^No such image|not found/i.test(error.message))) fatal = true;
        failures.push(errorText(error));
      }
    }
    if (failures.length === 0) return 0;
    // With --force, images that are not there are no failure.
    if (!force || fatal) throw new ExitError(1, failures.join('\n'));
    cli.warn(`${failures.join('\n')}\n`);
    return 0;
  },
};
