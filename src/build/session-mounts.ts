import { posix } from 'node:path';
import { invalid } from '../common/index.ts';
import { modeOf } from './accounts.ts';
import { keyOf } from './cache.ts';
import type { Access, BuildSession } from './session.ts';
import type { StepMount } from './types.ts';

/** `RUN --mount=type=secret` or `type=ssh`, read (Dockerfile reference). */
export interface SessionRequest extends Access {
  type: 'secret' | 'ssh';
  id: string;
  /** Undefined: a secret only as a variable; an agent at its own place. */
  target: string | undefined;
  /** Of a secret: the variable that has its value. */
  env: string | undefined;
  required: boolean;
}

export const SESSION_OPTIONS: Record<SessionRequest['type'], readonly string[]> = {
  secret: ['id', 'target', 'source', 'env', 'required', 'mode', 'uid', 'gid'],
  ssh: ['id', 'target', 'required', 'mode', 'uid', 'gid'],
};

export function readSessionMount(
  type: SessionRequest['type'],
  options: ReadonlyMap<string, string>,
  { text, workdir, number }: { text: string; workdir: string; number: (name: string) => number },
): SessionRequest {
  const given = options.get('target');
  // BuildKit: the older `source` is the id of a secret.
  const id = options.get('id') ?? options.get('source') ?? (type === 'ssh' ? 'default' : posix.basename(given ?? ''));
  if (id === '') throw invalid(`invalid mount: one of source, target required in '${text}'`);
  const env = options.get('env');
  const place = given ?? (type === 'ssh' || env !== undefined ? undefined : `/run/secrets/${posix.basename(id)}`);
  const mode = options.get('mode');
  return {
    type,
    id,
    env,
    target: place === undefined ? undefined : posix.resolve('/', workdir, place),
    required: options.get('required') === 'true',
    mode: mode === undefined ? (type === 'secret' ? 0o400 : 0o600) : modeOf(mode),
    uid: number('uid'),
    gid: number('gid'),
  };
}

/** As in BuildKit what a secret holds is no part of a step's key. */
export const sessionKey = ({ type, id, target, env, required, mode, uid, gid }: SessionRequest): string =>
  keyOf(type, id, target, env, required, mode, uid, gid);

/** Where each request is seen, in their order. */
export function sessionTargets(requests: readonly SessionRequest[]): (string | undefined)[] {
  const agents = requests.filter(({ type }) => type === 'ssh');
  return requests.map(
    (request) =>
      request.target ?? (request.type === 'ssh' ? `/run/buildkit/ssh_agent.${agents.indexOf(request)}` : undefined),
  );
}

/** Mounts and variables of a command; what the client did not give and nobody requires is left out. */
export async function openSessionMounts(
  session: BuildSession,
  requests: readonly SessionRequest[],
): Promise<{ mounts: StepMount[]; env: string[] }> {
  const mounts: StepMount[] = [];
  const env: string[] = [];
  const targets = sessionTargets(requests);
  for (const [place, request] of requests.entries()) {
    const target = targets[place];
    if (request.type === 'ssh') {
      const source = await session.agentSocket(request.id, request.required, request);
      if (source === undefined || target === undefined) continue;
      mounts.push({ type: 'bind', source, target, readonly: false });
      if (!env.some((pair) => pair.startsWith('SSH_AUTH_SOCK='))) env.push(`SSH_AUTH_SOCK=${target}`);
      continue;
    }
    const value = session.secret(request.id, request.required);
    if (value === undefined) continue;
    if (target !== undefined)
      mounts.push({ type: 'bind', source: session.secretFile(value, request), target, readonly: true });
    if (request.env !== undefined) env.push(`${request.env}=${value.toString()}`);
  }
  return { mounts, env };
}
