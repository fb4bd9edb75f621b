import { pullImage } from '../../pull.ts';
import { isNameOnly, normalizeReference } from '../../references.ts';
import { type CommandSpec, exactly } from '../../spec.ts';
import { asExit } from '../../terminal/progress.ts';

export const command: CommandSpec = {
  use: '[OPTIONS] NAME[:TAG|@DIGEST]',
  examples: ['gantry pull alpine:3', 'gantry pull registry.example.com/team/app@sha256:…'],
  flags: [
    { name: 'all-tags', short: 'a', type: 'bool', usage: 'Download all tagged images in the repository' },
    { name: 'disable-content-trust', type: 'bool', usage: 'Skip image verification (default true)', default: 'true' },
    { name: 'platform', type: 'string', usage: 'Set platform if server is multi-platform capable' },
    { name: 'quiet', short: 'q', type: 'bool', usage: 'Suppress verbose output' },
  ],
  args: exactly(1),
  complete: ['images'],
  async run({ args, flags, cli }) {
    const name = args[0]!;
    const reference = normalizeReference(name);
    const all = flags.bool('all-tags');
    const quiet = flags.bool('quiet');
    if (all && !isNameOnly(name)) throw new Error("tag can't be used with --all-tags/-a");
    if (!all && isNameOnly(name) && !quiet) cli.print(`Using default tag: ${reference.tag}\n`);
    if (flags.changed('disable-content-trust') && !flags.bool('disable-content-trust'))
      throw new Error('content trust (Notary v1) is not supported');
    const client = await cli.client();
    await pullImage(cli, client, reference, {
      platform: flags.text('platform') || undefined,
      quiet,
      out: 'stdout',
      all,
    }).catch(asExit);
    cli.print(
      `${reference.domain}/${reference.path}${all ? '' : reference.digest ? `@${reference.digest}` : `:${reference.tag}`}\n`,
    );
  },
};
