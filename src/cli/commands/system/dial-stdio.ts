import { pipeline } from 'node:stream/promises';
import { connect } from '../../../client/index.ts';
import { type CommandSpec, noArgs } from '../../spec.ts';

export const command: CommandSpec = {
  use: '',
  examples: [],
  flags: [],
  args: noArgs,
  async run({ cli }) {
    const client = await cli.client();
    const socket = await connect(client.transport.endpoint, cli.connection.tls);
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', (error) => reject(new Error(`failed to open the raw stream connection: ${error.message}`)));
    });
    // Either end may close first; the other direction still drains.
    const input = pipeline(cli.stdin, socket).catch(() => {});
    await pipeline(socket, cli.stdout, { end: false });
    await Promise.race([input, Promise.resolve()]);
  },
};
