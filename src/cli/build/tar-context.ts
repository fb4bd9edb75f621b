import { createReadStream, readlinkSync, type Stats } from 'node:fs';
import { relative } from 'node:path';
import { Readable } from 'node:stream';
import { looksLikeArchive, type TarItem, writeTar } from '../../archive/index.ts';
import type { Directory } from './files.ts';
import { ignoreRules, pathBelow, walkContext } from './walk.ts';

export interface TarContext {
  stream: Readable;
  /** The Dockerfile's name within. */
  dockerfile: string;
}

/** A directory as a tar, for daemons that know nothing else. */
export function directoryTar(directory: Directory, dockerfileInside: boolean): TarContext {
  const { dockerfile } = directory;
  const name = dockerfileInside ? dockerfile.name : `.dockerfile.${process.pid.toString(36)}${Date.now().toString(36)}`;
  const ignoreFile = directory.ignoreFile === undefined ? '' : relative(directory.root, directory.ignoreFile);
  async function* items(): AsyncGenerator<TarItem> {
    yield* tree(directory, new Set([name, ignoreFile]));
    if (!dockerfileInside) yield { header: { name, mode: 0o600 }, body: Buffer.from(dockerfile.text) };
  }
  return { stream: writeTar(items()), dockerfile: name };
}

/** The Dockerfile and .dockerignore are sent even if they are ignored: the daemon needs them, and leaves them out of COPY itself. */
async function* tree({ root, ignoreFile }: Directory, needed: ReadonlySet<string>): AsyncGenerator<TarItem> {
  for (const { path, stat } of walkContext(root, await ignoreRules(ignoreFile), needed)) {
    const place = pathBelow(root, path);
    if (stat.isDirectory()) yield { header: { name: `${path}/`, type: 'dir', ...attributes(stat) } };
    else if (stat.isSymbolicLink())
      yield { header: { name: path, type: 'symlink', linkName: readlinkSync(place, 'latin1'), ...attributes(stat) } };
    else yield { header: { name: path, size: stat.size, ...attributes(stat) }, body: createReadStream(place) };
  }
}

/** Owners are root's and times whole seconds, as Docker sends them, so that a cache does not depend on who builds. */
const attributes = ({ mode, mtimeMs }: Stats): Pick<TarItem['header'], 'mode' | 'mtime'> => ({
  mode: mode & 0o7777,
  mtime: { seconds: Math.floor(mtimeMs / 1000), nanoseconds: 0 },
});

/** Standard input as a context: a tar (plain or compressed) is one, a text is a Dockerfile with no context. */
export async function stdinTar(stdin: Readable, dockerfile: string): Promise<TarContext> {
  const chunks: AsyncIterator<Buffer> = stdin[Symbol.asyncIterator]();
  const head = await firstBytes(chunks);
  if (looksLikeArchive(head))
    return {
      stream: Readable.from(headAndRest(head, chunks), { objectMode: false }),
      dockerfile: dockerfile === '' ? 'Dockerfile' : dockerfile,
    };
  if (dockerfile !== '')
    throw new Error(
      'unable to prepare context: ambiguous Dockerfile source: both stdin and flag correspond to Dockerfiles',
    );
  const text: Buffer[] = [];
  for await (const chunk of headAndRest(head, chunks)) text.push(chunk);
  const archive = writeTar([{ header: { name: 'Dockerfile', mode: 0o600 }, body: Buffer.concat(text) }]);
  return { stream: archive, dockerfile: 'Dockerfile' };
}

/** Enough of a stream to know an archive by; less when the stream is shorter. */
async function firstBytes(chunks: AsyncIterator<Buffer>): Promise<Buffer> {
  const head: Buffer[] = [];
  let length = 0;
  while (length < 512) {
    const { done, value } = await chunks.next();
    if (done === true) break;
    head.push(value);
    length += value.length;
  }
  return Buffer.concat(head);
}

/** What was read ahead, then the rest: a stream that has ended takes nothing back by `unshift`. */
async function* headAndRest(head: Buffer, chunks: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  if (head.length > 0) yield head;
  for (;;) {
    const { done, value } = await chunks.next();
    if (done === true) return;
    yield value;
  }
}
