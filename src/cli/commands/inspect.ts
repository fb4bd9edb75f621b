import { ApiError, readText } from '../../client/index.ts';
import { INSPECT_FORMAT } from '../format-flags.ts';
import { inspectAll } from '../inspect-output.ts';
import { atLeast, type CommandSpec } from '../spec.ts';

const TYPES = ['container', 'image', 'network', 'volume', 'plugin'] as const;
const PATHS: Record<(typeof TYPES)[number], (name: string) => string> = {
  container: (name) => `/containers/${encodeURIComponent(name)}/json`,
  image: (name) => `/images/${name.split('/').map(encodeURIComponent).join('/')}/json`,
  network: (name) => `/networks/${encodeURIComponent(name)}`,
  volume: (name) => `/volumes/${encodeURIComponent(name)}`,
  plugin: (name) => `/plugins/${name.split('/').map(encodeURIComponent).join('/')}/json`,
};
const GO_TYPES: Partial<Record<(typeof TYPES)[number], string>> = {
  container: 'container.InspectResponse',
  image: 'image.InspectResponse',
  network: 'network.Inspect',
  volume: 'volume.Volume',
};
const SWARM_TYPES = ['config', 'node', 'secret', 'service', 'task'];

export const command: CommandSpec = {
  use: '[OPTIONS] NAME|ID [NAME|ID...]',
  examples: ["gantry inspect -f '{{.State.Pid}}' web"],
  flags: [
    INSPECT_FORMAT,
    { name: 'size', short: 's', type: 'bool', usage: 'Display total file sizes if the type is container' },
    { name: 'type', type: 'string', usage: 'Only inspect objects of the given type' },
  ],
  args: atLeast(1),
  complete: ['containers', 'images', 'volumes', 'networks'],
  async run({ args, flags, cli }) {
    const wanted = flags.text('type');
    if (flags.changed('type') && wanted === '')
      throw new Error(
        'type is empty: must be one of "config", "container", "image", "network", "node", "plugin", "secret", "service", "task", "volume"',
      );
    if (SWARM_TYPES.includes(wanted))
      throw new Error(`${JSON.stringify(wanted)} objects belong to Swarm mode, which Gantry does not have`);
    if (wanted !== '' && !(TYPES as readonly string[]).includes(wanted))
      throw new Error(
        `unknown type: ${JSON.stringify(wanted)}: must be one of "config", "container", "image", "network", "node", "plugin", "secret", "service", "task", "volume"`,
      );
    const types = wanted === '' ? TYPES : [wanted as (typeof TYPES)[number]];
    const client = await cli.client();
    const sized = flags.bool('size');
    await inspectAll(cli, args, flags.text('format'), undefined, async (name) => {
      for (const type of types) {
        try {
          const query = { size: type === 'container' && sized };
          const text = await readText(await client.transport.request('GET', PATHS[type](name), { query }));
          return { text, type: GO_TYPES[type] };
        } catch (error) {
          // A name that one kind of object cannot have (400) may be another's.
          const absent = error instanceof ApiError && [400, 404, 501].includes(error.status);
          if (!absent || wanted !== '') throw error;
        }
      }
      throw new Error(`Error: No such object: ${name}`);
    });
  },
};
