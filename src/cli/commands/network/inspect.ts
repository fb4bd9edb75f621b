import { readText } from '../../../client/index.ts';
import { INSPECT_FORMAT } from '../../format-flags.ts';
import { inspectAll } from '../../inspect-output.ts';
import { atLeast, type CommandSpec } from '../../spec.ts';

export const command: CommandSpec = {
  use: '[OPTIONS] NETWORK [NETWORK...]',
  examples: ["gantry network inspect -f '{{range .IPAM.Config}}{{.Subnet}}{{end}}' backend"],
  flags: [INSPECT_FORMAT, { name: 'verbose', short: 'v', type: 'bool', usage: 'Verbose output for diagnostics' }],
  args: atLeast(1),
  complete: ['networks'],
  async run({ args, flags, cli }) {
    const client = await cli.client();
    await inspectAll(cli, args, flags.text('format'), 'network.Inspect', async (name) =>
      readText(
        await client.transport.request('GET', `/networks/${encodeURIComponent(name)}`, {
          query: { verbose: flags.bool('verbose') ? 'true' : undefined },
        }),
      ),
    );
  },
};
