import { between, type CommandSpec } from '../../spec.ts';

export const command: CommandSpec = {
  use: 'CONTAINER [PRIVATE_PORT[/PROTO]]',
  examples: ['gantry port web', 'gantry port web 80/tcp'],
  flags: [],
  args: between(1, 2),
  complete: ['containers'],
  async run({ args, cli }) {
    const [name, wanted] = args as [string, string | undefined];
    const client = await cli.client();
    const { NetworkSettings } = await client.containers.inspect(name);
    const ports = NetworkSettings.Ports ?? {};
    const address = (binding: { HostIp: string; HostPort: string }) =>
      binding.HostIp.includes(':')
        ? `[${binding.HostIp}]:${binding.HostPort}`
        : `${binding.HostIp}:${binding.HostPort}`;
    if (wanted !== undefined) {
      const key = wanted.includes('/') ? wanted : `${wanted}/tcp`;
      if (!/^\d+\/\w+$/.test(key))
        throw new Error(
          `Error: invalid port (${wanted}): strconv.ParseUint: parsing ${JSON.stringify(wanted.split('/')[0])}: invalid syntax`,
        );
      const bindings = ports[key];
      if (!bindings) throw new Error(`Error: No public port '${wanted}' published for ${name}`);
      cli.print(bindings.map((binding) => `${address(binding)}\n`).join(''));
      return;
    }
    const rows = Object.entries(ports).flatMap(([port, bindings]) =>
      (bindings ?? []).map((binding) => ({ port, text: `${port} -> ${address(binding)}\n` })),
    );
    // Docker sorts by the port's number, then by text.
    rows.sort((a, b) => Number.parseInt(a.port, 10) - Number.parseInt(b.port, 10) || (a.text < b.text ? -1 : 1));
    cli.print(rows.map(({ text }) => text).join(''));
  },
};
