import { toMap } from '../../run/key-values.ts';
import { checkLabel } from '../../run/labels.ts';
import { atMost, type CommandSpec } from '../../spec.ts';

export const command: CommandSpec = {
  use: '[OPTIONS] [VOLUME]',
  examples: [
    'gantry volume create --label keep=yes data',
    'gantry volume create -o type=tmpfs -o device=tmpfs -o o=size=100m scratch',
  ],
  flags: [
    {
      name: 'driver',
      short: 'd',
      type: 'string',
      usage: 'Specify volume driver name (default "local")',
      default: 'local',
    },
    { name: 'label', type: 'list', usage: 'Set metadata for a volume', check: checkLabel },
    { name: 'name', type: 'string', usage: 'Specify volume name', hidden: true },
    { name: 'opt', short: 'o', type: 'map', usage: 'Set driver specific options (default map[])' },
  ],
  args: atMost(1),
  async run({ args, flags, cli }) {
    const [name] = args;
    if (name !== undefined && flags.changed('name'))
      throw new Error('conflicting options: cannot specify a volume-name through both --name and as a positional arg');
    const client = await cli.client();
    const volume = await client.volumes.create({
      Name: name ?? flags.text('name'),
      Driver: flags.text('driver'),
      DriverOpts: toMap(flags.list('opt')),
      Labels: toMap(flags.list('label')),
    });
    cli.print(`${volume.Name}\n`);
  },
};
