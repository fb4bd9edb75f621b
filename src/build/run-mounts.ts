import { createHash } from 'node:crypto';
import { chmodSync, chownSync, existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { copyTree } from '../archive/index.ts';
import { invalid, newId, parseBytes, parseGoBool } from '../common/index.ts';
import { modeOf } from './accounts.ts';
import type { BuildRun } from './build-run.ts';
import { keyOf } from './cache.ts';
import { findStat, resolveInRoot } from './root-path.ts';
import { readSessionMount, SESSION_OPTIONS, type SessionRequest } from './session-mounts.ts';
import { chainOf, type StageState } from './stage-state.ts';
import type { StepMount } from './types.ts';

/** A `--mount` of RUN, read (Dockerfile reference, "RUN --mount"). */
export interface MountRequest {
  type: 'bind' | 'cache' | 'tmpfs';
  target: string;
  source: string;
  from: string | undefined;
  readonly: boolean;
  id: string;
  sharing: 'shared' | 'private' | 'locked';
  sizeBytes: number | undefined;
  mode: number | undefined;
  uid: number;
  gid: number;
}

const OPTIONS: Record<MountRequest['type'], readonly string[]> = {
  bind: ['target', 'source', 'from', 'readonly'],
  cache: ['target', 'source', 'from', 'readonly', 'id', 'sharing', 'mode', 'uid', 'gid'],
  tmpfs: ['target', 'size'],
};
/** What may stand without a value. */
const SWITCHES: readonly string[] = ['readonly', 'ro', 'readwrite', 'rw', 'required'];
const ALIASES: Record<string, string> = { dst: 'target', destination: 'target', src: 'source', ro: 'readonly' };

function switchValue(name: string, text: string): string {
  const value = parseGoBool(text);
  if (value === undefined) throw invalid(`invalid value for ${name}: ${text}`);
  return String(value);
}

export function readMount(
  text: string,
  workdir: string,
  replace: (value: string) => string,
): MountRequest | SessionRequest {
  const options = new Map<string, string>();
  const fields = new Map<string, string>();
  for (const field of text.split(',')) {
    const cut = field.indexOf('=');
    const name = (cut < 0 ? field : field.slice(0, cut)).toLowerCase();
    if (cut < 0 && !SWITCHES.includes(name)) throw invalid(`invalid field '${field}' must be a key=value pair`);
    const given = cut < 0 ? 'true' : replace(field.slice(cut + 1));
    const value = SWITCHES.includes(name) ? switchValue(name, given) : given;
    if (name === 'rw' || name === 'readwrite') options.set('readonly', value === 'false' ? 'true' : 'false');
    else options.set(ALIASES[name] ?? name, value);
    fields.set(ALIASES[name] ?? name, field);
  }
  const type = options.get('type') ?? 'bind';
  options.delete('type');
  const known = Object.entries({ ...OPTIONS, ...SESSION_OPTIONS }).find(([name]) => name === type)?.[1];
  if (known === undefined) throw invalid(`unsupported mount type ${JSON.stringify(type)}`);
  for (const name of options.keys())
    if (!known.includes(name)) throw invalid(`unexpected key '${name}' in '${fields.get(name) ?? text}'`);
  const number = (name: string) => {
    const value = options.get(name) ?? '0';
    if (!/^\d+$/.test(value)) throw invalid(`invalid value for ${name}: ${value}`);
    return Number(value);
  };
  if (type === 'secret' || type === 'ssh') return readSessionMount(type, options, { text, workdir, number });
  const given = options.get('target');
  if (given === undefined) throw invalid(`invalid mount: target is required in '${text}'`);
  const target = posix.resolve('/', workdir, given);
  const sharing = options.get('sharing') ?? 'shared';
  if (sharing !== 'shared' && sharing !== 'private' && sharing !== 'locked')
    throw invalid(`unsupported sharing value ${JSON.stringify(sharing)}`);
  return {
    type: type as MountRequest['type'],
    target,
    sharing,
    source: options.get('source') ?? '/',
    from: options.get('from'),
    readonly: (options.get('readonly') ?? String(type === 'bind')) === 'true',
    id: options.get('id') ?? target,
    sizeBytes: options.has('size') ? parseBytes(options.get('size')!) : undefined,
    mode: options.has('mode') ? modeOf(options.get('mode')!) : undefined,
    uid: number('uid'),
    gid: number('gid'),
  };
}

/** The part of a step's key that a mount is: what a command could read of it. What is in a cache is no input, but which cache it is. */
export async function mountKey(run: BuildRun, mount: MountRequest, before: number): Promise<string> {
  if (mount.type === 'cache') return keyOf('cache', mount.target, mount.readonly, cacheIdentity(mount));
  if (mount.type === 'tmpfs') return keyOf('tmpfs', mount.target, mount.readonly);
  const content =
    mount.from === undefined ? await run.contextDigest(mount.source) : (await run.stateOf(mount.from, before)).filesKey;
  return keyOf('bind', mount.target, mount.source, mount.readonly, content);
}

export interface PreparedMounts {
  mounts: StepMount[];
  release(): Promise<void>;
}

/** Makes what the mounts need; `release` takes it away again. */
export async function prepareMounts(
  run: BuildRun,
  requests: readonly MountRequest[],
  before: number,
): Promise<PreparedMounts> {
  const undo: (() => Promise<void> | void)[] = [];
  const release = async () => {
    for (const step of undo.splice(0).reverse()) await step();
  };
  const mounts: StepMount[] = [];
  try {
    for (const request of requests) {
      if (request.type === 'tmpfs')
        mounts.push({
          type: 'tmpfs',
          target: request.target,
          readonly: false,
          options: request.sizeBytes === undefined ? [] : [`size=${request.sizeBytes}`],
        });
      else
        mounts.push({
          type: 'bind',
          source: await (request.type === 'cache' ? cacheSource : bindSource)(run, request, before, undo),
          target: request.target,
          readonly: request.readonly,
        });
    }
  } catch (error) {
    await release();
    throw error;
  }
  return { mounts, release };
}

type Undo = (() => Promise<void> | void)[];

async function bindSource(
  run: BuildRun,
  { from, source, readonly, target }: MountRequest,
  before: number,
  undo: Undo,
): Promise<string> {
  let root = run.context.root;
  if (from !== undefined) root = await mountedState(run, await run.stateOf(from, before), undo);
  let path = resolveInRoot(root, source);
  if (findStat(path) === undefined) throw invalid(`failed to compute cache key: ${source}: not found`);
  if (!readonly && from === undefined) {
    // Writes are for this command only: the context stays as it came.
    const copy = await run.scratch();
    await copyTree(path, join(copy, 'writable'), { signal: run.signal });
    path = join(copy, 'writable');
  }
  if (target === '/') throw invalid('invalid mount target "/"');
  return path;
}

async function mountedState(run: BuildRun, state: StageState, undo: Undo): Promise<string> {
  const { layers } = run.parts;
  const id = newId();
  await layers.createSnapshot(id, { parent: chainOf(state), owner: 'build' });
  undo.push(() => layers.removeSnapshot(id));
  return await layers.mount(id);
}

/** As in BuildKit, one id with another owner, mode or first content is another cache. */
const cacheIdentity = ({ id, from, source, uid, gid, mode }: MountRequest): string =>
  keyOf('cache mount', id, from, from === undefined ? undefined : source, uid, gid, mode);

async function cacheSource(run: BuildRun, request: MountRequest, before: number, undo: Undo): Promise<string> {
  const name = createHash('sha256').update(cacheIdentity(request)).digest('hex');
  undo.push(await run.cacheLock(request.sharing === 'shared' ? undefined : name));
  const { path, end } = run.cacheMounts.use(name);
  undo.push(end);
  // Stages that come here at the same time make it once.
  await run.flights.share(`cache mount ${name}`, run.signal, async () => {
    if (!existsSync(path)) await run.cacheMounts.put(name, await makeCache(run, request, before));
  });
  return path;
}

async function makeCache(run: BuildRun, request: MountRequest, before: number): Promise<string> {
  const { from, source, uid, gid, mode } = request;
  const fresh = await run.scratch();
  const made = join(fresh, 'cache');
  if (from === undefined) await mkdir(made);
  else {
    const undo: Undo = [];
    try {
      await copyTree(resolveInRoot(await mountedState(run, await run.stateOf(from, before), undo), source), made, {
        signal: run.signal,
      });
    } finally {
      for (const step of undo) await step();
    }
  }
  chownSync(made, uid, gid);
  chmodSync(made, mode ?? 0o755);
  return made;
}
