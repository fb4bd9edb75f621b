import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { invalid, unavailable } from '../common/index.ts';
import { CGROUPS, chooseRuntime, hidingUnified, type RuntimeChoice } from '../runtime/index.ts';
import { mounts } from '../sys/index.ts';
import type { Settings } from './settings.ts';

/** In the order of preference: crun starts a container in half of runc's time. */
const KNOWN = ['crun', 'runc'] as const;

export interface Runtimes {
  byName: Map<string, RuntimeChoice>;
  /** The one for containers that name none. */
  standard: string;
  /** Why it is that one, for /info. */
  reason: string;
}

/** Where a program is; undefined if it is not on the path. */
export function findProgram(name: string, path: string): string | undefined {
  const files = name.includes('/') ? [name] : path.split(delimiter).map((dir) => join(dir, name));
  return files.find((file) => {
    try {
      accessSync(file, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** Small inits, the one of Debian's packages first; static ones, because they run inside of any image. */
const INITS = [
  '/usr/libexec/docker/docker-init',
  'docker-init',
  '/usr/libexec/podman/catatonit',
  'catatonit',
  'tini-static',
];

/** The program of `--init`. Throws invalid if the one that was asked for is not there. */
export function findInit(given: string | undefined, path: string): string | undefined {
  if (given === undefined) return INITS.map((name) => findProgram(name, path)).find((program) => program !== undefined);
  const program = findProgram(given, path);
  if (program === undefined) throw invalid(`init-path: ${given} is not a program that can be found`);
  return program;
}

export interface RuntimeSearch {
  /** `PATH`. */
  path: string;
  /** For short-lived bundles. */
  scratch: string;
  /** Where the probe's cgroup is made. */
  cgroup: string;
}

const isShared = async (point: string): Promise<boolean> =>
  (await mounts()).some(({ target, shared }) => target === point && shared);

/** What there is, and what really works here (a runtime may refuse the machine's cgroups). Throws if the one asked for is unknown. */
export async function findRuntimes(
  settings: Pick<Settings, 'runtimes' | 'defaults'>,
  search: RuntimeSearch,
): Promise<Runtimes> {
  const byName = new Map<string, RuntimeChoice>();
  const hybrid = existsSync('/sys/fs/cgroup/unified/cgroup.procs');
  for (const name of KNOWN) {
    const program = findProgram(name, search.path);
    if (program === undefined) continue;
    const found = { name, path: program, args: [] };
    byName.set(
      name,
      name === 'crun' && hybrid
        ? hidingUnified(found, await isShared(CGROUPS), findProgram('busybox', search.path))
        : found,
    );
  }
  for (const [name, { path, args }] of Object.entries(settings.runtimes)) {
    const program = findProgram(path, search.path);
    if (program === undefined) throw invalid(`invalid runtime '${name}': ${path} is not a program that can be found`);
    byName.set(name, { name, path: program, args });
  }
  const { runtime } = settings.defaults;
  if (runtime !== undefined) {
    if (!byName.has(runtime)) throw invalid(`specified default runtime '${runtime}' does not exist`);
    return { byName, standard: runtime, reason: 'as configured' };
  }
  const candidates = KNOWN.flatMap((name) => byName.get(name) ?? []);
  const { chosen, refused } = await chooseRuntime(candidates, search.scratch, search.cgroup);
  const complaints = refused.map(
    ({ runtime: { name }, complaint }) => `${name} does not: ${complaint?.split('\n').at(-1)}`,
  );
  if (chosen === undefined)
    throw unavailable(
      complaints.length === 0
        ? 'no OCI runtime found: install crun or runc'
        : `no OCI runtime works here: ${complaints.join('; ')}`,
    );
  return { byName, standard: chosen.name, reason: ['it works here', ...complaints].join('; ') };
}
