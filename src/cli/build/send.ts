import { Readable } from 'node:stream';
import type { Answer, Client, Query } from '../../client/index.ts';
import type { MissingFiles } from '../../wire/index.ts';
import type { Call } from '../spec.ts';
import { isRemoteContext, openDirectory } from './context.ts';
import { type Directory, FilesBody } from './files.ts';
import type { TarContext } from './tar-context.ts';

/** Files change while they are sent; that often the list is tried with what is missing now. */
const ROUNDS = 4;

interface Request {
  query: Query;
  headers: Record<string, string>;
}

/** Sends a build with its context, in the way that is best for it. */
export async function sendBuild(client: Client, { args, flags, cli }: Call, request: Request): Promise<Answer> {
  const path = args[0]!;
  const file = flags.text('file');
  const compress = flags.bool('compress');
  const asTar = async ({ stream, dockerfile }: TarContext) => {
    const { createGzip } = await import('node:zlib');
    const body = compress ? stream.pipe(createGzip()) : stream;
    return client.images.build(body, { ...request, query: { ...request.query, dockerfile } });
  };
  if (path === '-') {
    if (file === '-') throw new Error("invalid argument: can't use stdin for both build context and dockerfile");
    const { stdinTar } = await import('./tar-context.ts');
    return asTar(await stdinTar(cli.stdin, file));
  }
  const text = file === '-' ? await readAll(cli.stdin) : undefined;
  if (isRemoteContext(path)) {
    // Gantry's own: with `-` the Dockerfile is the body.
    const query = { ...request.query, dockerfile: file, remote: path };
    return client.images.build(text === undefined ? undefined : Readable.from([text]), { ...request, query });
  }
  const { directory, inside } = openDirectory(path, file, text);
  const answer = compress ? undefined : await sendFiles(client, directory, request);
  if (answer !== undefined) return answer;
  const { directoryTar } = await import('./tar-context.ts');
  return asTar(directoryTar(directory, inside));
}

async function readAll(stream: NodeJS.ReadStream): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

/** Undefined: the daemon does not know this way, or cannot go it now. */
async function sendFiles(client: Client, directory: Directory, request: Request): Promise<Answer | undefined> {
  const body = await FilesBody.of(directory);
  let missing: MissingFiles | undefined;
  for (let round = 0; round < ROUNDS; round++) {
    let answer: Answer;
    try {
      answer = await client.images.buildFiles(missing === undefined ? body.lead : body.with(missing), request);
    } catch (error) {
      if (isRefusal(error)) return undefined;
      throw error;
    }
    if (answer.status !== 202) return answer;
    missing = await readMissing(answer);
  }
  return undefined;
}

/** Docker's daemon has no such page; ours may be building another state of this directory. */
const isRefusal = (error: unknown): boolean =>
  error instanceof Error &&
  'status' in error &&
  ((error.status === 404 && /page not found/i.test(error.message)) || error.status === 409);

async function readMissing(answer: Answer): Promise<MissingFiles> {
  const chunks: Buffer[] = [];
  for await (const chunk of answer.body) chunks.push(chunk as Buffer);
  return JSON.parse(Buffer.concat(chunks).toString()) as MissingFiles;
}
