import { createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { type TarItem, writeTar } from '../../../archive/index.ts';
import { endpointOf } from '../../context-endpoint.ts';
import { type ContextMeta, ContextStore } from '../../contexts.ts';
import { fileError } from '../../file-errors.ts';
import { between, type CommandSpec } from '../../spec.ts';

export const command: CommandSpec = {
  use: '[OPTIONS] CONTEXT [FILE|-]',
  examples: [
    'gantry context export far far.dockercontext',
    'gantry context export far - | ssh host gantry context import far -',
  ],
  flags: [],
  args: between(1, 2),
  complete: ['contexts'],
  async run({ args, cli }) {
    const [name, file = `${args[0]}.dockercontext`] = args as [string, string | undefined];
    if (file === '-' && cli.stdout.isTTY)
      throw new Error('cowardly refusing to export to a terminal, specify a file path');
    const { docker, tls: files } = endpointOf(cli, name);
    const metadata = name === 'default' ? {} : new ContextStore(cli.config.dir).get(name).Metadata;
    const meta: ContextMeta = { Name: name, Metadata: metadata, Endpoints: { docker } };
    const items: TarItem[] = [{ header: { name: 'meta.json', mode: 0o644 }, body: Buffer.from(JSON.stringify(meta)) }];
    const tls = Object.entries(files);
    for (const folder of tls.length > 0 ? ['tls', 'tls/docker'] : [])
      items.push({ header: { name: folder, type: 'dir', mode: 0o700 } });
    for (const [path, content] of tls)
      items.push({ header: { name: `tls/docker/${path}`, mode: 0o600 }, body: content });
    const archive = writeTar(items);
    if (file === '-') return pipeline(archive, cli.stdout, { end: false });
    await pipeline(archive, createWriteStream(file, { flags: 'wx', mode: 0o600 })).catch((error: unknown) => {
      throw fileError(file, error);
    });
    cli.warn(`Written file ${JSON.stringify(file)}\n`);
  },
};
