import { closeSync, constants, openSync, unlinkSync, writeSync } from 'node:fs';
import { readdir, readFile, rm, rmdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { z } from 'zod';
import { isErrno } from '../common/index.ts';
import type { RuntimeChoice } from './types.ts';

/**
 * Short cuts through crun: what it keeps of a container at `<root>/<id>` (crun src/libcrun/status.c) is simple enough to start and to forget
 * one without a process for it. Each answers whether it could; where not, crun's own command has to.
 */
export const isCrun = ({ path }: RuntimeChoice): boolean => basename(path) === 'crun';

/** `crun start`: the init of a container that was made waits for a byte in `exec.fifo`; the fifo's absence says that it got one. */
export function releaseInit(state: string): boolean {
  const fifo = join(state, 'exec.fifo');
  let descriptor: number;
  try {
    descriptor = openSync(fifo, constants.O_WRONLY | constants.O_NONBLOCK);
  } catch {
    return false;
  }
  try {
    unlinkSync(fifo);
    writeSync(descriptor, '\0');
    return true;
  } finally {
    closeSync(descriptor);
  }
}

const statusSchema = z.object({
  'cgroup-path': z.string().regex(/^\/(?!.*\.\.)./),
  'systemd-cgroup': z.literal(false),
});

/**
 * `crun delete` of a container whose init has ended, if nothing else of it runs: a cgroup with processes or with cgroups of the container's
 * own in it is not removed.
 */
export async function forgetEnded(state: string, cgroupRoot = '/sys/fs/cgroup'): Promise<boolean> {
  try {
    const { 'cgroup-path': path } = statusSchema.parse(JSON.parse(await readFile(join(state, 'status'), 'utf8')));
    const names = await readdir(cgroupRoot);
    const hierarchies = names.includes('cgroup.controllers') ? [''] : names;
    await Promise.all(
      hierarchies.map(async (name) => {
        try {
          await rmdir(join(cgroupRoot, name, path));
        } catch (error) {
          if (!isErrno(error, 'ENOENT')) throw error;
        }
      }),
    );
    await rm(state, { recursive: true });
    return true;
  } catch {
    return false;
  }
}
