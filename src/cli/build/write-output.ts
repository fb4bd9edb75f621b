import { mkdirSync } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import type { Client } from '../../client/index.ts';
import { unpackLocal } from '../copy/unpack.ts';
import type { Cli } from '../session.ts';
import { saveStream } from '../terminal/save-stream.ts';
import type { Output } from './outputs.ts';

/** Writes the built image where it was asked for. `names`: of the image, for archives that keep names. */
export async function writeOutput(
  output: Output,
  { cli, client, id, names }: { cli: Cli; client: Client; id: string; names: readonly string[] },
): Promise<void> {
  if (output.type === 'image') return;
  if (output.type === 'local') {
    mkdirSync(output.dest, { recursive: true });
    const answer = await client.images.tree(id);
    await unpackLocal(answer.body, output.dest, undefined, false);
    return;
  }
  const open = (signal: AbortSignal) =>
    output.type === 'tar'
      ? client.images.tree(id, signal)
      : client.images.save(names.length > 0 ? names : [id], { signal });
  if (output.dest === '-') {
    const answer = await open(new AbortController().signal);
    await pipeline(answer.body, cli.stdout, { end: false });
  } else await saveStream(cli, output.dest, `failed to write ${output.type} output`, open);
}
