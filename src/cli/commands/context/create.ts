import { contextName } from '../../connection.ts';
import { ENDPOINT_HELP, endpointOf, parseEndpointFlag } from '../../context-endpoint.ts';
import { ContextStore, checkContextName } from '../../contexts.ts';
import { type CommandSpec, exactly } from '../../spec.ts';

export const command: CommandSpec = {
  use: '[OPTIONS] CONTEXT',
  long: `Create a context\n\n${ENDPOINT_HELP}`,
  examples: ['gantry context create --docker "host=ssh://user@host" far'],
  flags: [
    { name: 'description', type: 'string', usage: 'Description of the context' },
    { name: 'docker', type: 'stringToString', usage: 'set the docker endpoint (default [])' },
    { name: 'from', type: 'string', usage: 'create context from a named context' },
  ],
  args: exactly(1),
  async run({ args, flags, cli }) {
    const name = args[0]!;
    checkContextName(name);
    const store = new ContextStore(cli.config.dir);
    if (store.has(name)) throw new Error(`context ${JSON.stringify(name)} already exists`);
    const from = flags.text('from');
    const endpoint = flags.changed('docker')
      ? parseEndpointFlag(cli, flags.list('docker'))
      : endpointOf(cli, from || contextName(cli.globals, cli.env, cli.config));
    store.saveTls(name, endpoint.tls);
    const inherited = from !== '' && from !== 'default' ? store.get(from).Metadata : {};
    store.save({
      Name: name,
      Metadata: { ...inherited, ...(flags.changed('description') ? { Description: flags.text('description') } : {}) },
      Endpoints: { docker: endpoint.docker },
    });
    cli.print(`${name}\n`);
    cli.warn(`Successfully created context ${JSON.stringify(name)}\n`);
  },
};
