import { jsonLines } from '../../../client/index.ts';
import type { ProgressMessage } from '../../../wire/index.ts';
import { registryAuth } from '../../credentials.ts';
import { isNameOnly, normalizeReference } from '../../references.ts';
import { type CommandSpec, exactly } from '../../spec.ts';
import { asExit, showProgress } from '../../terminal/progress.ts';

export const command: CommandSpec = {
  use: '[OPTIONS] NAME[:TAG]',
  examples: ['gantry push registry.example.com/team/web:1'],
  flags: [
    { name: 'all-tags', short: 'a', type: 'bool', usage: 'Push all tags of an image to the repository' },
    { name: 'disable-content-trust', type: 'bool', usage: 'Skip image signing (default true)', default: 'true' },
    {
      name: 'platform',
      type: 'string',
      usage:
        "Push a platform-specific manifest as a single-platform image to the registry.\nImage index won't be pushed, meaning that other manifests, including attestations won't be preserved.\n'os[/arch[/variant]]': Explicit platform (eg. linux/amd64)",
    },
    { name: 'quiet', short: 'q', type: 'bool', usage: 'Suppress verbose output' },
  ],
  args: exactly(1),
  complete: ['images'],
  async run({ args, flags, cli }) {
    const name = args[0]!;
    const reference = normalizeReference(name);
    const all = flags.bool('all-tags');
    const quiet = flags.bool('quiet');
    if (reference.digest !== undefined) throw new Error('cannot push a digest reference');
    if (all && !isNameOnly(name)) throw new Error("tag can't be used with --all-tags/-a");
    if (!all && isNameOnly(name) && !quiet) cli.print(`Using default tag: ${reference.tag}\n`);
    if (flags.changed('disable-content-trust') && !flags.bool('disable-content-trust'))
      throw new Error('content trust (Notary v1) is not supported');
    const client = await cli.client();
    const auth = await registryAuth(cli, reference.domain);
    const tag = all ? '' : (reference.tag ?? '');
    const answer = await client.images.push(reference.familiarName, {
      tag,
      platform: flags.text('platform') || undefined,
      auth,
    });
    await showProgress(cli, jsonLines<ProgressMessage>(answer.body), { stream: cli.stdout, quiet }).catch(asExit);
    if (quiet) cli.print(`${reference.domain}/${reference.path}${tag === '' ? '' : `:${tag}`}\n`);
  },
};
