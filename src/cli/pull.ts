import { type Client, jsonLines } from '../client/index.ts';
import type { ProgressMessage } from '../wire/index.ts';
import { registryAuth } from './credentials.ts';
import type { ImageReference } from './references.ts';
import type { Cli } from './session.ts';
import { showProgress } from './terminal/progress.ts';

/** Pulls one image and shows its progress; silent when quiet. */
export async function pullImage(
  cli: Cli,
  client: Client,
  reference: ImageReference,
  options: { platform?: string; quiet: boolean; out: 'stdout' | 'stderr'; all?: boolean },
): Promise<void> {
  const auth = await registryAuth(cli, reference.domain);
  const answer = await client.images.pull({
    image: reference.familiarName,
    tag: options.all ? undefined : (reference.digest ?? reference.tag),
    platform: options.platform,
    auth,
  });
  const messages = jsonLines<ProgressMessage>(answer.body);
  await showProgress(cli, messages, {
    stream: options.out === 'stdout' ? cli.stdout : cli.stderr,
    quiet: options.quiet,
  });
}
