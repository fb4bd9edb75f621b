import { readText } from '../../../client/index.ts';
import { INSPECT_FORMAT } from '../../format-flags.ts';
import { inspectAll } from '../../inspect-output.ts';
import { atLeast, type CommandSpec } from '../../spec.ts';

export const command: CommandSpec = {
  use: '[OPTIONS] IMAGE [IMAGE...]',
  examples: ["gantry image inspect -f '{{.Config.Cmd}}' web:1"],
  flags: [
    INSPECT_FORMAT,
    {
      name: 'platform',
      type: 'string',
      usage:
        "Inspect a specific platform of the multi-platform image.\nIf the image or the server is not multi-platform capable, the command will error out if the platform does not match.\n'os[/arch[/variant]]': Explicit platform (eg. linux/amd64)",
    },
  ],
  args: atLeast(1),
  complete: ['images'],
  async run({ args, flags, cli }) {
    const client = await cli.client();
    await inspectAll(cli, args, flags.text('format'), 'image.InspectResponse', async (name) =>
      readText(
        await client.transport.request('GET', `/images/${name.split('/').map(encodeURIComponent).join('/')}/json`, {
          query: { platform: platformQuery(flags.text('platform')) },
        }),
      ),
    );
  },
};

/** The API takes a platform as JSON. */
function platformQuery(platform: string): string | undefined {
  if (platform === '') return undefined;
  const [os, architecture, variant] = platform.split('/');
  return JSON.stringify({ os, architecture, variant });
}
