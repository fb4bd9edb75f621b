import type { ConnectNetworkBody } from '../../../wire/index.ts';
import { checkLink } from '../../run/create-flags.ts';
import { toMap } from '../../run/key-values.ts';
import { type CommandSpec, exactly } from '../../spec.ts';

export const command: CommandSpec = {
  use: '[OPTIONS] NETWORK CONTAINER',
  examples: ['gantry network connect --alias db backend postgres'],
  flags: [
    { name: 'alias', type: 'strings', usage: 'Add network-scoped alias for the container' },
    { name: 'driver-opt', type: 'strings', usage: 'driver options for the network' },
    {
      name: 'gw-priority',
      type: 'int',
      usage: 'Highest gw-priority provides the default gateway. Accepts positive and negative values.',
    },
    { name: 'ip', type: 'string', usage: 'IPv4 address (e.g., "172.30.100.104")' },
    { name: 'ip6', type: 'string', usage: 'IPv6 address (e.g., "2001:db8::33")' },
    { name: 'link', type: 'list', usage: 'Add link to another container', check: checkLink },
    { name: 'link-local-ip', type: 'strings', usage: 'Add a link-local address for the container' },
  ],
  args: exactly(2),
  complete: ['networks', 'containers'],
  completeInOrder: true,
  async run({ args, flags, cli }) {
    const [network, container] = args as [string, string];
    const orNothing = (list: string[]): string[] | undefined => (list.length > 0 ? list : undefined);
    const options = flags.list('driver-opt');
    for (const option of options)
      if (!option.includes('=')) throw new Error('invalid key/value pair format in driver options');
    const client = await cli.client();
    const body = {
      Container: container,
      EndpointConfig: {
        IPAMConfig: {
          IPv4Address: flags.text('ip') || undefined,
          IPv6Address: flags.text('ip6') || undefined,
          LinkLocalIPs: orNothing(flags.list('link-local-ip')),
        },
        Links: orNothing(flags.list('link')),
        Aliases: orNothing(flags.list('alias')),
        DriverOpts: options.length > 0 ? toMap(options) : undefined,
        GwPriority: flags.changed('gw-priority') ? flags.int('gw-priority') : undefined,
      },
    } as ConnectNetworkBody;
    if (network.trim() === '') throw new Error('invalid network name or ID: value is empty');
    await client.networks.connect(network, body);
  },
};
