import { ENDPOINT_HELP, parseEndpointFlag } from '../../context-endpoint.ts';
import { ContextStore, checkContextName } from '../../contexts.ts';
import { type CommandSpec, exactly } from '../../spec.ts';

export const command: CommandSpec = {
  use: '[OPTIONS] CONTEXT',
  long: `Update a context\n\n${ENDPOINT_HELP}`,
  examples: ['gantry context update --docker host=ssh://me@far far'],
  flags: [
    { name: 'description', type: 'string', usage: 'Description of the context' },
    { name: 'docker', type: 'stringToString', usage: 'set the docker endpoint (default [])' },
  ],
  args: exactly(1),
  complete: ['contexts'],
  async run({ args, flags, cli }) {
    const name = args[0]!;
    checkContextName(name);
    const store = new ContextStore(cli.config.dir);
    const meta = store.get(name);
    if (flags.changed('description')) meta.Metadata.Description = flags.text('description');
    if (flags.changed('docker')) {
      const endpoint = parseEndpointFlag(cli, flags.list('docker'));
      meta.Endpoints.docker = endpoint.docker;
      store.saveTls(name, endpoint.tls);
    }
    store.save(meta);
    cli.print(`${name}\n`);
    cli.warn(`Successfully updated context ${JSON.stringify(name)}\n`);
  },
};
