import { existsSync, readdirSync, readFileSync, rmdirSync, rmSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { Readable } from 'node:stream';
import { extractInto, looksLikeArchive } from '../archive/index.ts';
import { invalid, tooLarge, unsupported } from '../common/index.ts';
import { IgnoreMatcher, readIgnoreFile } from '../dockerfile/index.ts';
import type { ImageStore } from '../images/index.ts';
import { isHttpUrl } from './fetch.ts';
import { fetchGit, isGitUrl } from './git-source.ts';
import type { KeptContext } from './kept/contexts.ts';
import { findStat, resolveInRoot } from './root-path.ts';
import type { ContextSource } from './types.ts';

const MAX_DOCKERFILE_BYTES = 16 * 2 ** 20;
/** Of a tar: enough to know it by. */
const BLOCK_BYTES = 512;

export interface BuildContext {
  /** Directory of the files, without what is ignored. */
  root: string;
  dockerfile: string;
  /** What .dockerignore leaves out, as far as it is known. */
  ignores: IgnoreMatcher | undefined;
  /** SHA-256 (hex) of a file of the context, where it is known. */
  digestOf?: (path: Buffer) => string | undefined;
  /** Digests of parts of it that a build asked for. */
  digests: Map<string, string>;
}

/** Brings the context into a directory, if it is not in one, and reads the Dockerfile. */
export async function receiveContext(
  images: Pick<ImageStore, 'openUrl'>,
  { remote, dockerfile, source }: { remote: string | undefined; dockerfile: string; source: ContextSource },
  makeDirectory: () => Promise<string>,
  signal: AbortSignal,
): Promise<BuildContext> {
  if (!(source instanceof Readable)) return keptContext(source);
  const directory = await makeDirectory();
  // As a client's directory mostly is: a mount of it is for any user of a step. Nobody else gets here.
  await mkdir(directory, { recursive: true, mode: 0o755 });
  if (remote === undefined) {
    await unpack(directory, source, signal);
    return readContext(directory, dockerfile);
  }
  const given = dockerfile === '-' ? await readText(source) : undefined;
  source.resume();
  if (remote === 'client-session') throw unsupported('BuildKit sessions are not supported by this daemon');
  if (isGitUrl(remote))
    return readContext(await fetchGit(remote, directory, { keepGitDir: false, signal }), dockerfile, given);
  if (!isHttpUrl(remote)) throw invalid(`remoteURL (${remote}) could not be recognized as URL`);
  if (!URL.canParse(remote)) throw invalid(`parse ${JSON.stringify(remote)}: invalid URL`);
  const body = await peeked((await images.openUrl(remote, signal)).body);
  if (looksLikeArchive(body.head)) {
    await unpack(directory, body.all, signal);
    return readContext(directory, dockerfile, given);
  }
  // Whatever the server calls it: what is no archive is a Dockerfile.
  await writeFile(join(directory, 'Dockerfile'), await readText(body.all));
  return readContext(directory, given === undefined ? 'Dockerfile' : dockerfile, given);
}

async function readText(source: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of source) {
    length += chunk.length;
    if (length > MAX_DOCKERFILE_BYTES) throw tooLarge('the Dockerfile is too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

/** The first bytes of a stream, and all of it. */
async function peeked(source: Readable): Promise<{ head: Buffer; all: AsyncIterable<Buffer> }> {
  const chunks: AsyncIterator<Buffer> = source[Symbol.asyncIterator]();
  let head: Buffer = Buffer.alloc(0);
  while (head.length < BLOCK_BYTES) {
    const { done, value } = await chunks.next();
    if (done === true) break;
    head = Buffer.concat([head, value]);
  }
  async function* all(): AsyncGenerator<Buffer> {
    if (head.length > 0) yield head;
    for (let next = await chunks.next(); next.done !== true; next = await chunks.next()) yield next.value;
  }
  return { head, all: all() };
}

async function unpack(directory: string, source: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void> {
  try {
    await extractInto(directory, source, { signal });
  } catch (error) {
    if (signal.aborted) throw error;
    throw invalid(`Error processing tar file: ${error instanceof Error ? error.message : String(error)}`, error);
  }
}

/** The client has left out what is ignored. */
function keptContext({ root, dockerfile: { name, text }, digestOf, digests }: KeptContext): BuildContext {
  if (text === '') throw emptyDockerfile(name);
  return { root, dockerfile: text, ignores: ignoreRules(root, name), digestOf, digests };
}

const emptyDockerfile = (name: string) => invalid(`the Dockerfile (${name}) cannot be empty`);

/** `given`: the Dockerfile's text, if it is not among the files. */
function readContext(root: string, name: string, given?: string): BuildContext {
  if (given !== undefined) {
    if (given === '') throw emptyDockerfile(name);
    return { root, dockerfile: given, ignores: dropIgnored(root, name), digests: new Map() };
  }
  const clean = posix.normalize(name);
  if (clean.startsWith('../')) throw invalid(`forbidden path outside the build context: ${name} ()`);
  let path = resolveInRoot(root, clean);
  if (!existsSync(path) && clean === 'Dockerfile') path = resolveInRoot(root, 'dockerfile');
  const stat = findStat(path);
  if (stat === undefined) throw invalid(`Cannot locate specified Dockerfile: ${name}`);
  if (!stat.isFile()) throw invalid(`failed to read Dockerfile ${name}: not a regular file`);
  if (stat.size === 0) throw emptyDockerfile(name);
  const dockerfile = readFileSync(path, 'utf8');
  return { root, dockerfile, ignores: dropIgnored(root, clean), digests: new Map() };
}

/** `<Dockerfile>.dockerignore`, or else `.dockerignore`. */
function ignoreRules(root: string, dockerfile: string): IgnoreMatcher | undefined {
  const file = [`${dockerfile}.dockerignore`, '.dockerignore']
    .map((name) => resolveInRoot(root, name))
    .find((path) => findStat(path)?.isFile());
  return file === undefined ? undefined : new IgnoreMatcher(readIgnoreFile(readFileSync(file, 'utf8')));
}

/** Removes what is ignored, and answers the rules. The client may have done so before: twice is the same. */
function dropIgnored(root: string, dockerfile: string): IgnoreMatcher | undefined {
  const matcher = ignoreRules(root, dockerfile);
  if (matcher?.empty === false) dropBelow(root, '', matcher);
  return matcher;
}

/** True if nothing is left. */
function dropBelow(directory: string, relative: string, matcher: IgnoreMatcher): boolean {
  let left = 0;
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = relative === '' ? entry.name : `${relative}/${entry.name}`;
    const here = join(directory, entry.name);
    const excluded = matcher.excludes(path);
    if (entry.isDirectory()) {
      if (excluded && !matcher.hasExceptions) rmSync(here, { recursive: true, force: true });
      else if (dropBelow(here, path, matcher) && excluded) rmdirSync(here);
      else left++;
    } else if (excluded) rmSync(here, { force: true });
    else left++;
  }
  return left === 0;
}
