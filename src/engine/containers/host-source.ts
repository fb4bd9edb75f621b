import { mkdir, realpath, stat } from 'node:fs/promises';
import { internal, invalid, isErrno } from '../../common/index.ts';
import { type MountEntry, mounts } from '../../sys/index.ts';
import type { MountRecord } from './record.ts';

/** Sees to it that the source of a bind is there: `-v` makes a directory, `--mount` refuses (in moby's words). */
export async function hostSource({ source, createHostPath }: MountRecord): Promise<void> {
  try {
    await stat(source);
    return;
  } catch (error) {
    if (!isErrno(error, 'ENOENT') && !isErrno(error, 'ENOTDIR')) throw error;
  }
  if (!createHostPath)
    throw invalid(`invalid mount config for type "bind": bind source path does not exist: ${source}`);
  try {
    await mkdir(source, { recursive: true, mode: 0o755 });
  } catch (error) {
    // A dangling link is not followed to make what it names.
    const why = isErrno(error, 'ENOTDIR')
      ? 'not a directory'
      : isErrno(error, 'ENOENT') || isErrno(error, 'EEXIST')
        ? 'file exists'
        : undefined;
    if (why === undefined) throw error;
    throw invalid(`error while creating mount source path '${source}': mkdir ${source}: ${why}`, error);
  }
}

/** The mount that a path lies on: of those above it the deepest, of several at one place the last. */
export function mountOf(path: string, entries: readonly MountEntry[]): MountEntry | undefined {
  const above = entries.filter(({ target }) => target === '/' || path === target || path.startsWith(`${target}/`));
  return above.reduce<MountEntry | undefined>(
    (best, entry) => (best === undefined || entry.target.length >= best.target.length ? entry : best),
    undefined,
  );
}

/** A bind shared with the host, or its slave, works only from a mount that is so itself (moby ensureShared, ensureSharedOrSlave). */
export async function checkPropagation({ source, propagation }: MountRecord): Promise<void> {
  const shared = propagation.endsWith('shared');
  if (!shared && !propagation.endsWith('slave')) return;
  const entry = mountOf(await realpath(source), await mounts());
  if (entry === undefined || entry.shared || (!shared && entry.slave)) return;
  throw internal(
    `path ${source} is mounted on ${entry.target} but it is not a shared${shared ? '' : ' or slave'} mount`,
  );
}
