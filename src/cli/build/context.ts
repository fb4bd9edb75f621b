import { createReadStream, existsSync, readFileSync, statSync } from 'node:fs';
import { lstat, readdir, readlink } from 'node:fs/promises';
import { join, relative, resolve, sep } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type Pack, pack } from 'tar-stream';
import { type IgnoreRules, parseIgnore } from './ignore.ts';

export interface BuildContext {
  /** The tar to send, or nothing if the daemon fetches the context itself. */
  stream?: Readable;
  /** For the daemon to fetch: a URL or a git repository. */
  remote?: string;
  /** The Dockerfile's name within the context. */
  dockerfile: string;
}

/** A directory as a context. A Dockerfile that lies outside is sent along under a name of its own. Throws Error with Docker's words. */
export function directoryContext(directory: string, dockerfile: string, stdinDockerfile?: Buffer): BuildContext {
  const root = resolve(directory);
  if (!existsSync(root)) throw new Error(`unable to prepare context: path ${JSON.stringify(directory)} not found`);
  if (!statSync(root).isDirectory())
    throw new Error(`unable to prepare context: path ${JSON.stringify(directory)} is not a directory`);
  const archive = pack();
  let name = dockerfile === '' ? 'Dockerfile' : dockerfile;
  let extra: Buffer | undefined = stdinDockerfile;
  if (!extra) {
    const path = dockerfile === '' ? defaultDockerfile(root) : resolve(dockerfile);
    const inside = relative(root, path);
    if (!existsSync(path))
      throw new Error(
        `unable to prepare context: unable to evaluate symlinks in Dockerfile path: lstat ${path}: no such file or directory`,
      );
    if (inside.startsWith('..')) extra = readFileSync(path);
    else name = inside.split(sep).join('/');
  }
  if (extra) name = `.dockerfile.${process.pid.toString(36)}${Date.now().toString(36)}`;
  const rules = readIgnore(root, name);
  pushTree(archive, root, rules, new Set([name, '.dockerignore']))
    .then(() => {
      if (extra) archive.entry({ name, mode: 0o600, mtime: new Date(0) }, extra);
      archive.finalize();
    })
    .catch((error: Error) => archive.destroy(error));
  return { stream: Readable.from(archive, { objectMode: false }), dockerfile: name };
}

const defaultDockerfile = (root: string): string => {
  const lower = join(root, 'dockerfile');
  return !existsSync(join(root, 'Dockerfile')) && existsSync(lower) ? lower : join(root, 'Dockerfile');
};

/** `NAME.dockerignore` beside the Dockerfile comes before the context's own. */
function readIgnore(root: string, dockerfile: string): IgnoreRules | undefined {
  const path = [join(root, `${dockerfile}.dockerignore`), join(root, '.dockerignore')].find((file) => existsSync(file));
  return path === undefined ? undefined : parseIgnore(readFileSync(path, 'utf8'));
}

/** The Dockerfile and .dockerignore are sent even if they are ignored: the daemon needs them, and leaves them out of COPY itself. */
async function pushTree(
  archive: Pack,
  root: string,
  rules: IgnoreRules | undefined,
  needed: ReadonlySet<string>,
): Promise<void> {
  const walk = async (directory: string): Promise<void> => {
    for (const name of (await readdir(join(root, directory))).toSorted()) {
      const path = directory === '' ? name : `${directory}/${name}`;
      const ignored = !needed.has(path) && (rules?.ignores(path) ?? false);
      const info = await lstat(join(root, path));
      const holdsNeeded = [...needed].some((file) => file.startsWith(`${path}/`));
      if (info.isDirectory()) {
        if (!ignored) archive.entry({ name: `${path}/`, type: 'directory', ...attributes(info) });
        if (!ignored || holdsNeeded || rules?.mayHoldExceptions(path)) await walk(path);
      } else if (ignored) continue;
      else if (info.isSymbolicLink())
        archive.entry({ name: path, type: 'symlink', linkname: await readlink(join(root, path)), ...attributes(info) });
      else if (info.isFile())
        await pipeline(
          createReadStream(join(root, path)),
          archive.entry({ name: path, size: info.size, ...attributes(info) }),
        );
    }
  };
  await walk('');
}

/** Owners are root's, as Docker sends them, so that a cache does not depend on who builds. */
const attributes = (info: { mode: number; mtime: Date }): { mode: number; mtime: Date; uid: number; gid: number } => ({
  mode: info.mode & 0o7777,
  mtime: info.mtime,
  uid: 0,
  gid: 0,
});

/** Standard input as a context: a tar (plain or compressed) is one, a text is a Dockerfile with no context. */
export async function stdinContext(stdin: Readable, dockerfile: string): Promise<BuildContext> {
  const chunks: AsyncIterator<Buffer> = stdin[Symbol.asyncIterator]();
  const head = await firstBytes(chunks);
  if (looksLikeArchive(head))
    return {
      stream: Readable.from(headAndRest(head, chunks), { objectMode: false }),
      dockerfile: dockerfile === '' ? 'Dockerfile' : dockerfile,
    };
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
  while (length < 262) {
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

function looksLikeArchive(head: Buffer): boolean {
  const starts = (...bytes: number[]): boolean => bytes.every((byte, index) => head[index] === byte);
  return (
    starts(0x1f, 0x8b) ||
    starts(0x42, 0x5a, 0x68) ||
    starts(0xfd, 0x37, 0x7a) ||
    starts(0x28, 0xb5, 0x2f, 0xfd) ||
    head.subarray(257, 262).toString() === 'ustar'
  );
}

/** True for contexts that the daemon fetches: URLs and git repositories. */
export const isRemoteContext = (text: string): boolean =>
  /^(https?|git):\/\/|^git@|^github\.com\/|\.git(#.*)?$/.test(text) && !existsSync(text);
