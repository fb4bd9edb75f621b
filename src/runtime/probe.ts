import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createCommand } from './create-command.ts';
import { runProgram } from './process-run.ts';
import type { RuntimeChoice } from './types.ts';

export interface ProbedRuntime {
  runtime: RuntimeChoice;
  /** Why it cannot be used here, in its own words; undefined when it works. */
  complaint: string | undefined;
}

/** Not in any root: a runtime that gets as far as looking for it has made namespaces, mounts and cgroups. */
const ABSENT = '/gantry-probe';

/**
 * Asks a runtime to run an absent program in an empty root. One that works fails over the program; one that does not (crun 1.8 where
 * cgroup v1 and v2 are mixed) fails over something else, and says what. `directory` is for a short-lived bundle.
 */
export async function probeRuntime(
  runtime: RuntimeChoice,
  directory: string,
  cgroupsPath: string,
): Promise<ProbedRuntime> {
  await mkdir(directory, { recursive: true, mode: 0o711 });
  const bundle = await mkdtemp(join(directory, 'probe-'));
  try {
    // crun wants a /dev to put the default devices into.
    for (const name of ['proc', 'dev']) await mkdir(join(bundle, 'root', name), { recursive: true });
    await writeFile(
      join(bundle, 'config.json'),
      JSON.stringify({
        ociVersion: '1.0.2',
        process: { terminal: false, user: { uid: 0, gid: 0 }, args: [ABSENT], env: [], cwd: '/' },
        root: { path: join(bundle, 'root') },
        mounts: [
          { destination: '/proc', type: 'proc', source: 'proc' },
          { destination: '/dev', type: 'tmpfs', source: 'tmpfs' },
        ],
        linux: { cgroupsPath, namespaces: ['mount', 'pid', 'ipc', 'uts'].map((type) => ({ type })) },
      }),
    );
    const id = `probe-${process.pid}-${runtime.name}`;
    const [program, ...words] = createCommand(runtime);
    const state = ['--root', join(bundle, 'state')];
    const { stderr } = await runProgram(program, [...words, ...state, 'run', '--bundle', bundle, id]);
    await runProgram(runtime.path, [...runtime.args, ...state, 'delete', '--force', id]);
    return { runtime, complaint: stderr.includes(ABSENT) ? undefined : stderr.trim() || 'it ended without a word' };
  } catch (error) {
    return { runtime, complaint: error instanceof Error ? error.message : String(error) };
  } finally {
    await rm(bundle, { recursive: true, force: true });
  }
}

/** The first candidate that works, and what was wrong with those before it. `chosen` is undefined if none does. */
export async function chooseRuntime(
  candidates: readonly RuntimeChoice[],
  directory: string,
  cgroupsPath = '/gantry/probe',
): Promise<{ chosen: RuntimeChoice | undefined; refused: ProbedRuntime[] }> {
  const refused: ProbedRuntime[] = [];
  for (const candidate of candidates) {
    const probed = await probeRuntime(candidate, directory, cgroupsPath);
    if (probed.complaint === undefined) return { chosen: candidate, refused };
    refused.push(probed);
  }
  return { chosen: undefined, refused };
}
