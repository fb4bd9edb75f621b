import { normalizeReference } from '../../references.ts';
import { type CommandSpec, exactly } from '../../spec.ts';

export const command: CommandSpec = {
  use: 'SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]',
  examples: ['gantry tag web:1 registry.example.com/team/web:1'],
  flags: [],
  args: exactly(2),
  interspersed: false,
  complete: ['images'],
  async run({ args, cli }) {
    const [source, target] = args as [string, string];
    let reference: ReturnType<typeof normalizeReference>;
    try {
      reference = normalizeReference(target);
    } catch (error) {
      throw new Error(
        `Error parsing reference: ${JSON.stringify(target)} is not a valid repository/tag: ${(error as Error).message}`,
      );
    }
    if (reference.digest !== undefined) throw new Error('refusing to create a tag with a digest reference');
    const client = await cli.client();
    await client.images.tag(source, reference.familiarName, reference.tag ?? 'latest');
  },
};
