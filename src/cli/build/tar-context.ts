import { createReadStream, readlinkSync, type Stats } from 'node:fs';
import { relative } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type Pack, pack } from 'tar-stream';
import { looksLikeArchive } from '../../archive/index.ts';
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
  const archive = pack();
  const ignoreFile = directory.ignoreFile === undefined ? '' : relative(directory.root, directory.ignoreFile);
  pushTree(archive, directory, new Set([name, ignoreFile]))
    .then(() => {
      if (!dockerfileInside) archive.entry({ name, mode: 0o600, mtime: new Date(0) }, dockerfile.text);
      archive.finalize();
    })
    .catch((error: Error) => archive.destroy(error));
  return { stream: Readable.from(archive, { objectMode: false }), dockerfile: name };
}

/** The Dockerfile and .dockerignore are sent even if they are ignored: the daemon needs them, and leaves them out of COPY itself. */
async function pushTree(archive: Pack, { root, ignoreFile }: Directory, needed: ReadonlySet<string>): Promise<void> {
  for (const { path, stat } of walkContext(root, await ignoreRules(ignoreFile), needed)) {
    const name = Buffer.from(path, 'latin1').toString();
    const place = pathBelow(root, path);
    if (stat.isDirectory()) archive.entry({ name: `${name}/`, type: 'directory', ...attributes(stat) });
    else if (stat.isSymbolicLink())
      archive.entry({ name, type: 'symlink', linkname: readlinkSync(place, 'utf8'), ...attributes(stat) });
    else await pipeline(createReadStream(place), archive.entry({ name, size: stat.size, ...attributes(stat) }));
  }
}

/** Owners are root's, as Docker sends them, so that a cache does not depend on who builds. */
const attributes = ({ mode, mtime }: Stats): { mode: number; mtime: Date; uid: number; gid: number } => ({
  mode: mode & 0o7777,
  mtime,
  uid: 0,
  gid: 0,
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
  const archive = pack();
  archive.entry({ name: 'Dockerfile', mode: 0o600 }, Buffer.concat(text));
  archive.finalize();
  return { stream: Readable.from(archive, { objectMode: false }), dockerfile: 'Dockerfile' };
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
