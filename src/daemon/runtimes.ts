import { execFile } from 'node:child_process';
import { accessSync, constants, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { invalid } from '../common/index.ts';
import type { RuntimeChoice } from '../runtime/index.ts';
import type { Settings } from './settings.ts';

const run = promisify(execFile);

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
  if (name.includes('/')) return name;
  return path
    .split(delimiter)
    .map((dir) => join(dir, name))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

/** What there is, and what really works here (a runtime may refuse the machine's cgroups). Throws if the one asked for is unknown. */
export async function chooseRuntimes(settings: Pick<Settings, 'runtimes' | 'defaults'>, path: string, scratch = tmpdir()): Promise<Runtimes> {
  const byName = new Map<string, RuntimeChoice>();
  for (const name of KNOWN) {
    const program = findProgram(name, path);
    if (program !== undefined) byName.set(name, { name, path: program, args: [] });
  }
  for (const [name, { path: given, args }] of Object.entries(settings.runtimes)) {
    const program = findProgram(given, path);
    if (program === undefined) throw invalid(`runtime ${name}: ${given} is not on the path`);
    byName.set(name, { name, path: program, args });
  }
  const { runtime } = settings.defaults;
  if (runtime !== undefined) {
    if (!byName.has(runtime)) throw invalid(`specified default runtime '${runtime}' does not exist`);
    return { byName, standard: runtime, reason: 'as configured' };
  }
  const refusals: string[] = [];
  for (const name of KNOWN) {
    const choice = byName.get(name);
    if (choice === undefined) continue;
    const refusal = await refusalOf(choice, scratch);
    if (refusal === undefined) return { byName, standard: name, reason: ['it works here', ...refusals].join('; ') };
    refusals.push(`${name} does not: ${refusal}`);
  }
  throw invalid(refusals.length === 0 ? 'no OCI runtime found: install crun or runc' : `no OCI runtime works here: ${refusals.join('; ')}`);
}

const PROBE = '/no-such-program';

/**
 * Has the runtime make a container of an empty root with a program that is not there. A runtime that works says just that; one that
 * cannot use this machine fails earlier, with its reason, which is returned.
 */
async function refusalOf(choice: RuntimeChoice, scratch: string): Promise<string | undefined> {
  mkdirSync(scratch, { recursive: true });
  const bundle = mkdtempSync(join(scratch, 'probe-'));
  const id = `gantry-probe-${process.pid}-${choice.name}`;
  try {
    mkdirSync(join(bundle, 'rootfs'));
    writeFileSync(join(bundle, 'config.json'), JSON.stringify(probeSpec(id)));
    await run(choice.path, [...choice.args, '--root', join(bundle, 'state'), 'run', '--bundle', bundle, id], { timeout: 20_000 });
    return undefined;
  } catch (error) {
    const { stderr = '', message } = error as { stderr?: string; message: string };
    if (stderr.includes(PROBE)) return undefined;
    return (stderr.trim().split('\n').at(-1) || message).slice(0, 200);
  } finally {
    await run(choice.path, ['--root', join(bundle, 'state'), 'delete', '--force', id], { timeout: 20_000 }).catch(() => {});
    rmSync(bundle, { recursive: true, force: true });
  }
}

const probeSpec = (id: string) => ({
  ociVersion: '1.0.2',
  process: { terminal: false, user: { uid: 0, gid: 0 }, args: [PROBE], env: [], cwd: '/' },
  root: { path: 'rootfs', readonly: true },
  hostname: 'probe',
  mounts: [{ destination: '/proc', type: 'proc', source: 'proc' }],
  linux: { cgroupsPath: `/${id}`, namespaces: ['pid', 'mount', 'ipc', 'uts'].map((type) => ({ type })), resources: {} },
});
