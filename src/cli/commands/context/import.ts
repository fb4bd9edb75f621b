import { createReadStream } from 'node:fs';
import { readTar, type TarEntry, textOf } from '../../../archive/index.ts';
import { EngineError } from '../../../common/index.ts';
import { type ContextMeta, ContextStore, checkContextName, type TlsFiles } from '../../contexts.ts';
import { type CommandSpec, exactly } from '../../spec.ts';
import { openInput } from '../../terminal/open-input.ts';

/** No context is larger than this (docker/cli context/store maxAllowedFileSizeToImport). */
const MAX_BYTES = 10 << 20;
const TLS_NAMES = ['ca.pem', 'cert.pem', 'key.pem'];

export const command: CommandSpec = {
  use: 'CONTEXT FILE|-',
  examples: ['gantry context import far far.dockercontext'],
  flags: [],
  args: exactly(2),
  async run({ args, cli }) {
    const [name, file] = args as [string, string];
    checkContextName(name);
    const store = new ContextStore(cli.config.dir);
    if (store.has(name)) throw new Error(`context ${JSON.stringify(name)} already exists`);
    if (file !== '-') await openInput(file);
    const source = file === '-' ? cli.stdin : createReadStream(file);
    let meta: ContextMeta | undefined;
    const tls: TlsFiles = {};
    let total = 0;
    for await (const { header, body } of whole(source)) {
      const chunks: Buffer[] = [];
      for await (const chunk of body) {
        total += chunk.length;
        if (total > MAX_BYTES) throw new Error('context archive is too large');
        chunks.push(chunk);
      }
      const content = Buffer.concat(chunks);
      const path = textOf(header.name).replace(/^\.\//, '');
      if (header.type === 'dir') continue;
      const tlsName = /^tls\/docker\/([^/]+)$/.exec(path)?.[1];
      if (path === 'meta.json') meta = JSON.parse(content.toString()) as ContextMeta;
      else if (tlsName !== undefined && TLS_NAMES.includes(tlsName)) tls[tlsName as keyof TlsFiles] = content;
      else throw new Error(`${path}: unexpected context file`);
    }
    if (!meta) throw new Error('invalid context: no meta.json found');
    store.saveTls(name, tls);
    store.save({ ...meta, Name: name });
    cli.print(`${name}\n`);
    cli.warn(`Successfully imported context ${JSON.stringify(name)}\n`);
  },
};

/** An archive's entries; what is no archive ends too early, in Docker's words. */
async function* whole(source: AsyncIterable<Buffer>): AsyncGenerator<TarEntry> {
  try {
    yield* readTar(source);
  } catch (error) {
    throw error instanceof EngineError ? new Error('unexpected EOF') : error;
  }
}
