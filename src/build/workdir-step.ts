import { posix } from 'node:path';
import type { Owner } from '../archive/index.ts';
import { invalid, isKind } from '../common/index.ts';
import { workingDirectory } from '../images/index.ts';
import { ownerOf } from './accounts.ts';
import { makeLayer, RUNTIME_MOUNTS } from './layer-step.ts';
import { findStat, makeDirectories, resolveInRoot } from './root-path.ts';
import type { FileStep, StageRun } from './stage-run.ts';
import { chainOf, createdWithout } from './stage-state.ts';

/** WORKDIR: the directory is made if it is not there, for the stage's user as in BuildKit. */
export function workdirStep({ run, state }: StageRun, value: string): FileStep {
  const path = workingDirectory(state.config.WorkingDir, value);
  const user = state.config.User ?? '';
  return {
    key: ['WORKDIR', path, user],
    description: `WORKDIR ${path}`,
    createdBy: createdWithout(state.config, `WORKDIR ${path}`),
    config: { ...state.config, WorkingDir: path },
    container: true,
    perform: (id) =>
      makeLayer(run, { id, parent: chainOf(state) }, async (root) => {
        const target = resolveInRoot(root, path);
        const there = findStat(target);
        // What a container gets mounted is no directory of the image.
        if (RUNTIME_MOUNTS.includes(posix.normalize(path)) || there?.isDirectory() === true) return false;
        if (there !== undefined) throw invalid(`Cannot mkdir: ${path} is not a directory`);
        makeDirectories(root, target, userOwner(root, user));
        return true;
      }),
  };
}

/** A user whom the image does not know is refused where a command is run, not here. */
function userOwner(root: string, user: string): Owner {
  try {
    return ownerOf(root, user === '' ? '0' : user);
  } catch (error) {
    if (isKind(error, 'invalid')) return { uid: 0, gid: 0 };
    throw error;
  }
}
