import { posix } from 'node:path';
import { workingDirectory } from '../images/index.ts';
import { makeLayer, RUNTIME_MOUNTS } from './layer-step.ts';
import { findStat, makeDirectories, resolveInRoot } from './root-path.ts';
import type { FileStep, StageRun } from './stage-run.ts';
import { chainOf } from './stage-state.ts';

/** WORKDIR: the directory is made if it is not there. */
export function workdirStep({ run, state }: StageRun, value: string): FileStep {
  const path = workingDirectory(state.config.WorkingDir, value);
  return {
    key: ['WORKDIR', path],
    createdBy: `/bin/sh -c #(nop) WORKDIR ${path}`,
    config: { ...state.config, WorkingDir: path },
    container: true,
    perform: (id) =>
      makeLayer(run, { id, parent: chainOf(state) }, async (root) => {
        const target = resolveInRoot(root, path);
        // What a container gets mounted is no directory of the image.
        if (RUNTIME_MOUNTS.includes(posix.normalize(path)) || findStat(target)?.isDirectory() === true) return false;
        makeDirectories(root, target, { uid: 0, gid: 0 });
        return true;
      }),
  };
}
