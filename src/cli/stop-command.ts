import type { Client } from '../client/index.ts';
import { forEach } from './each.ts';
import { atLeast, type CommandSpec } from './spec.ts';

type Act = (client: Client, name: string, options: { timeoutS?: number; signal: string }) => Promise<unknown>;

/** `stop` and `restart`: the same flags, for one or more containers. */
export const stopCommand = (verb: string, act: Act): CommandSpec => ({
  use: '[OPTIONS] CONTAINER [CONTAINER...]',
  examples: [`gantry ${verb} web db`, `gantry ${verb} -t 30 db`],
  flags: [
    { name: 'signal', short: 's', type: 'string', usage: 'Signal to send to the container' },
    { name: 'timeout', short: 't', type: 'int', usage: 'Seconds to wait before killing the container' },
    {
      name: 'time',
      type: 'int',
      usage: '',
      hidden: true,
      aliasOf: 'timeout',
      deprecated: 'use --timeout instead',
    },
  ],
  args: atLeast(1),
  complete: ['running'],
  async run({ args, flags, cli }) {
    const client = await cli.client();
    const timeoutS = flags.changed('timeout') ? flags.int('timeout') : undefined;
    const options = { timeoutS, signal: flags.text('signal') };
    await forEach(
      args,
      (name) => act(client, name, options),
      (name) => cli.print(`${name}\n`),
    );
  },
});
