import { normalizeReference } from '../../references.ts';
import { between, type CommandSpec } from '../../spec.ts';

export const command: CommandSpec = {
  use: '[OPTIONS] CONTAINER [REPOSITORY[:TAG]]',
  examples: ['gantry commit -c \'CMD ["/app"]\' web web:patched'],
  flags: [
    { name: 'author', short: 'a', type: 'string', usage: 'Author (e.g., "John Hannibal Smith <hannibal@a-team.com>")' },
    { name: 'change', short: 'c', type: 'list', usage: 'Apply Dockerfile instruction to the created image' },
    { name: 'message', short: 'm', type: 'string', usage: 'Commit message' },
    { name: 'pause', short: 'p', type: 'bool', usage: 'Pause container during commit (default true)', default: 'true' },
  ],
  args: between(1, 2),
  complete: ['containers'],
  async run({ args, flags, cli }) {
    const [container, target] = args as [string, string | undefined];
    const reference = target === undefined || target === '' ? undefined : normalizeReference(target);
    if (reference?.digest !== undefined) throw new Error('refusing to create a tag with a digest reference');
    const client = await cli.client();
    const { Id } = await client.images.commit(container, {
      repository: reference?.familiarName,
      tag: reference?.tag,
      comment: flags.text('message') || undefined,
      author: flags.text('author') || undefined,
      changes: flags.list('change'),
      pause: flags.bool('pause'),
    });
    cli.print(`${Id}\n`);
  },
};
