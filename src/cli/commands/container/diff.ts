import { renderRows } from '../../format/rows.ts';
import { type CommandSpec, exactly } from '../../spec.ts';

const LETTERS = ['C', 'A', 'D'] as const;

export const command: CommandSpec = {
  use: 'CONTAINER',
  examples: ['gantry diff web'],
  flags: [],
  args: exactly(1),
  complete: ['containers'],
  async run({ args, cli }) {
    if (args[0] === '') throw new Error('Container name cannot be empty');
    const client = await cli.client();
    const changes = (await client.containers.changes(args[0]!)) ?? [];
    const table = { type: 'formatter.diffContext', headers: { Type: 'CHANGE TYPE', Path: 'PATH' } };
    cli.print(
      renderRows(
        '{{.Type}} {{.Path}}',
        table,
        changes.map((change) => ({ Type: () => LETTERS[change.Kind], Path: () => change.Path })),
      ),
    );
  },
};
