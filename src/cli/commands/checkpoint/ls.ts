import { renderRows } from '../../format/rows.ts';
import { type CommandSpec, exactly } from '../../spec.ts';

export const command: CommandSpec = {
  use: '[OPTIONS] CONTAINER',
  examples: ['gantry checkpoint ls web'],
  flags: [{ name: 'checkpoint-dir', type: 'string', usage: 'Use a custom checkpoint storage directory' }],
  args: exactly(1),
  complete: ['containers'],
  async run({ args, flags, cli }) {
    const client = await cli.client();
    const checkpoints =
      (await client.containers.checkpoints(args[0]!, flags.text('checkpoint-dir') || undefined)) ?? [];
    const table = { type: 'checkpoint.checkpointContext', headers: { Name: 'CHECKPOINT NAME' } };
    cli.print(
      renderRows(
        'table {{.Name}}',
        table,
        checkpoints.map(({ Name }) => ({ Name: () => Name })),
      ),
    );
  },
};
