import { type CommandSpec, exactly } from '../../spec.ts';

export const command: CommandSpec = {
  use: 'CONTAINER NEW_NAME',
  examples: ['gantry rename web web-old'],
  flags: [],
  args: exactly(2),
  complete: ['containers'],
  async run({ args, cli }) {
    const [from, to] = args.map((arg) => arg.trim()) as [string, string];
    if (from === '' || to === '') throw new Error('Error: Neither old nor new names may be empty');
    const client = await cli.client();
    await client.containers.rename(from, to);
  },
};
