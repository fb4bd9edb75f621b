import { existsSync, lstatSync, readlinkSync, type Stats, statSync } from 'node:fs';
import { dirname, isAbsolute, posix, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { packDirectory } from '../../../archive/index.ts';
import type { Client, PathStat } from '../../../client/index.ts';
import { type CopyEnd, planCopy, splitCopyArg } from '../../copy/paths.ts';
import { unpackLocal } from '../../copy/unpack.ts';
import { fileError } from '../../file-errors.ts';
import { size3 } from '../../format/size.ts';
import type { Cli } from '../../session.ts';
import { type Call, type CommandSpec, exactly } from '../../spec.ts';
import { byteProgress } from '../../terminal/byte-progress.ts';

/** Bits of Go's os.FileMode. */
const GO_DIR = 2 ** 31;
const GO_SYMLINK = 2 ** 27;
const has = (mode: number, bit: number): boolean => Math.trunc(mode / bit) % 2 === 1;

export const command: CommandSpec = {
  use: '[OPTIONS] CONTAINER:SRC_PATH DEST_PATH|-\n\tgantry cp [OPTIONS] SRC_PATH|- CONTAINER:DEST_PATH',
  long: `Copy files/folders between a container and the local filesystem

Use '-' as the source to read a tar archive from stdin
and extract it to a directory destination in a container.
Use '-' as the destination to stream a tar archive of a
container source to stdout.`,
  examples: ['gantry cp web:/etc/hosts .', 'gantry cp ./conf/. web:/etc/app', 'gantry cp web:/var/log - | tar t'],
  flags: [
    { name: 'archive', short: 'a', type: 'bool', usage: 'Archive mode (copy all uid/gid information)' },
    { name: 'follow-link', short: 'L', type: 'bool', usage: 'Always follow symbol link in SRC_PATH' },
    {
      name: 'quiet',
      short: 'q',
      type: 'bool',
      usage:
        'Suppress progress output during copy. Progress output is automatically suppressed if no terminal is attached',
    },
  ],
  args: exactly(2),
  complete: ['containers', 'files'],
  run,
};

async function run({ args, flags, cli }: Call): Promise<void> {
  if (args[0] === '') throw new Error('source can not be empty');
  if (args[1] === '') throw new Error('destination can not be empty');
  const source = splitCopyArg(args[0]!);
  const destination = splitCopyArg(args[1]!);
  if (source.container !== undefined && destination.container !== undefined)
    throw new Error('copying between containers is not supported');
  const client = await cli.client();
  const options = { follow: flags.bool('follow-link'), archive: flags.bool('archive'), quiet: flags.bool('quiet') };
  if (source.container !== undefined)
    return fromContainer(cli, client, source.container, source.path, destination.path, options);
  if (destination.container !== undefined)
    return toContainer(cli, client, source.path, destination.container, destination.path, options);
  throw new Error('must specify at least one container source');
}

interface Options {
  follow: boolean;
  archive: boolean;
  quiet: boolean;
}

/** What the daemon has at a path; nothing where it cannot tell: the copy itself then has the words for it, which an answer to HEAD has not. */
const stat = (client: Client, container: string, path: string): Promise<PathStat | undefined> =>
  client.containers.archiveInfo(container, path).catch((error: unknown) => {
    if (error instanceof Error && typeof (error as { status?: number }).status === 'number') return undefined;
    throw error;
  });

/** A link's target, as seen from where the link is. */
const linkTarget = (path: string, target: string): string =>
  isAbsolute(target) ? target : posix.join(posix.dirname(path), target);

async function fromContainer(
  cli: Cli,
  client: Client,
  container: string,
  given: string,
  target: string,
  options: Options,
): Promise<void> {
  const local = resolve(target) + (target.endsWith('/') ? '/' : '');
  const there = target === '-' ? undefined : statDestination(local);
  const exists = there !== undefined;
  if (target !== '-' && (there?.isCharacterDevice() || there?.isBlockDevice()))
    throw new Error(
      `invalid output path: ${JSON.stringify(target)} must be a directory or a regular file: got a device`,
    );
  if (target !== '-' && !exists && !existsSync(posix.dirname(posix.normalize(local).replace(/\/$/, ''))))
    throw new Error(`invalid output path: directory ${JSON.stringify(posix.dirname(local))} does not exist`);
  let path = given;
  if (options.follow) {
    const info = await stat(client, container, path);
    if (info && has(info.mode, GO_SYMLINK)) path = linkTarget(path, info.linkTarget);
  }
  if (target === '-' && cli.stdout.isTTY)
    throw new Error('cowardly refusing to write a tar archive to a terminal; redirect stdout');
  const { stat: info, body } = await client.containers.getArchive(container, path);
  if (target === '-') return pipeline(body, cli.stdout, { end: false });
  const isDir = there?.isDirectory() === true;
  // What is written to a link to a file is written to the file.
  const to: CopyEnd = { path: isDir ? local : behindLinks(local), exists, isDir };
  // A link that is followed keeps its name.
  const plan = planCopy({ path: given, exists: true, isDir: has(info.mode, GO_DIR) }, to);
  const counted = byteProgress(cli, 'Copying from container -', options);
  await Promise.all([pipeline(body, counted), unpackLocal(counted, plan.dir, plan.name, options.archive)]);
  if (!options.quiet && cli.stderr.isTTY)
    cli.warn(`Successfully copied ${size3(counted.total())} to ${local.replace(/(.)\/$/, '$1')}\n`);
}

async function toContainer(
  cli: Cli,
  client: Client,
  source: string,
  container: string,
  given: string,
  options: Options,
): Promise<void> {
  if (given === '') throw new Error('no such directory');
  let path = given.startsWith('/') ? given : `/${given}`;
  let info = await stat(client, container, path);
  if (info && has(info.mode, GO_SYMLINK)) {
    path = linkTarget(path, info.linkTarget);
    info = await stat(client, container, path);
  }
  const to: CopyEnd = { path, exists: info !== undefined, isDir: info !== undefined && has(info.mode, GO_DIR) };
  const put = { noOverwriteDirNonDir: true, copyUidGid: options.archive };
  if (source === '-') {
    if (!to.isDir) throw new Error(`destination "${container}:${given}" must be a directory`);
    await client.containers.putArchive(container, path, cli.stdin, { ...put, noOverwriteDirNonDir: false });
    return;
  }
  const local = localSource(source, options.follow);
  const plan = planCopy(local, to);
  const archive = packDirectory('/', resolve(source), {
    as: plan.name === '.' ? '' : plan.name,
    follow: local.followed,
  });
  const counted = byteProgress(cli, 'Copying to container -', options);
  await Promise.all([pipeline(archive, counted), client.containers.putArchive(container, plan.dir, counted, put)]);
  if (!options.quiet && cli.stderr.isTTY)
    cli.warn(`Successfully copied ${size3(counted.total())} to ${container}:${given}\n`);
}

/** A link is copied as such, unless it shall be followed or the path goes on behind it. */
function localSource(given: string, follow: boolean): CopyEnd & { followed: boolean } {
  const path = resolve(given);
  const dot = given.endsWith('/.') || given === '.';
  const followed = follow || dot || given.endsWith('/');
  const info = (followed ? statSync : lstatSync)(path, { throwIfNoEntry: false });
  if (info === undefined) throw new Error(`lstat ${followed ? behindLinks(path) : path}: no such file or directory`);
  if (!info.isDirectory() && (dot || given.endsWith('/'))) throw new Error('not a directory');
  return { path: dot ? `${path}/.` : path, exists: true, isDir: info.isDirectory(), followed };
}

/** What a path's links lead to, whether it is there or not. */
function behindLinks(path: string): string {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  return stat?.isSymbolicLink() ? behindLinks(resolve(dirname(path), readlinkSync(path))) : path;
}

/** Undefined where nothing is; a path through something that is no directory is refused here. */
function statDestination(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw fileError(path, error, 'stat');
  }
}
