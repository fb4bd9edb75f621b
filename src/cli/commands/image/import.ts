import { createReadStream } from 'node:fs';
import { jsonLines } from '../../../client/index.ts';
import type { ProgressMessage } from '../../../wire/index.ts';
import { normalizeReference } from '../../references.ts';
import { atLeast, type CommandSpec } from '../../spec.ts';
import { byteProgress } from '../../terminal/byte-progress.ts';
import { openInput } from '../../terminal/open-input.ts';
import { asExit, showProgress } from '../../terminal/progress.ts';

export const command: CommandSpec = {
  use: '[OPTIONS] file|URL|- [REPOSITORY[:TAG]]',
  examples: ['gantry export web | gantry import - web:flat'],
  flags: [
    { name: 'change', short: 'c', type: 'list', usage: 'Apply Dockerfile instruction to the created image' },
    { name: 'message', short: 'm', type: 'string', usage: 'Set commit message for imported image' },
    { name: 'platform', type: 'string', usage: 'Set platform if server is multi-platform capable' },
  ],
  args: atLeast(1),
  async run({ args, flags, cli }) {
    const [source, target] = args as [string, string | undefined];
    const reference = target === undefined ? undefined : normalizeReference(target);
    const remote = /^(https?|git):\/\/|^github\.com\//.test(source);
    if (!remote && source !== '-') await openInput(source);
    const stream = remote ? undefined : source === '-' ? cli.stdin : createReadStream(source);
    const client = await cli.client();
    const answer = await client.images.import({
      source: remote ? source : '-',
      stream: stream?.pipe(byteProgress(cli, 'Importing')),
      repository: reference?.familiarName ?? '',
      tag: reference?.tag ?? '',
      message: flags.text('message') || undefined,
      changes: flags.list('change'),
      platform: flags.text('platform') || undefined,
    });
    await showProgress(cli, jsonLines<ProgressMessage>(answer.body), { stream: cli.stdout }).catch(asExit);
  },
};
