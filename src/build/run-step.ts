import { chmod, writeFile } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { StringDecoder } from 'node:string_decoder';
import { invalid, unavailable, unsupported } from '../common/index.ts';
import { type Heredoc, heredocStart, type Instruction } from '../dockerfile/index.ts';
import { commandOf } from '../images/index.ts';
import { makeLayer, RUNTIME_MOUNTS } from './layer-step.ts';
import type { Lane } from './messages.ts';
import { findStat, makeDirectories, resolveInRoot } from './root-path.ts';
import { type MountRequest, mountKey, prepareMounts, readMount } from './run-mounts.ts';
import { openSessionMounts, type SessionRequest, sessionKey, sessionTargets } from './session-mounts.ts';
import { commandFailed, type FileStep, type StageRun } from './stage-run.ts';
import { chainOf } from './stage-state.ts';
import type { StepMount } from './types.ts';

type Run = Extract<Instruction, { name: 'RUN' }>;

export async function runStep(stageRun: StageRun, instruction: Run): Promise<FileStep> {
  const { run, state, stage, args, lane } = stageRun;
  const { parameters, parts, signal } = run;
  const config = state.config;
  const { command, script } = commandWithHeredocs(stageRun, instruction);
  const env = config.Env ?? [];
  const declared = args.forCommand(env);
  const network = networkOf(instruction.network, parameters.network);
  if (instruction.security !== undefined && instruction.security !== 'sandbox')
    throw unsupported(
      `security.${instruction.security} is not allowed: the classic build API cannot carry the entitlement`,
    );
  const workdir = config.WorkingDir || '/';
  const all = instruction.mounts.map((text) => readMount(text, workdir, stageRun.replace));
  const ofSession = all.filter(isOfSession);
  const requests = all.filter((request) => !isOfSession(request));
  const mountKeys = ofSession.map(sessionKey);
  for (const request of requests) mountKeys.push(await mountKey(run, request, stage.index));
  const volumes = Object.keys(config.Volumes ?? {}).map((path) => posix.resolve('/', path));
  const told = declared.told.length === 0 ? '' : `|${declared.told.length} ${declared.told.join(' ')} `;
  const createdBy = `${told}${command.join(' ')}`;
  return {
    key: [
      'RUN',
      command,
      script,
      env,
      declared.told,
      workdir,
      config.User ?? '',
      network,
      parameters.extraHosts,
      mountKeys,
    ],
    description: createdBy,
    createdBy,
    config,
    container: true,
    perform: (id) =>
      makeLayer(
        run,
        {
          id,
          parent: chainOf(state),
          mountPoints: [
            ...RUNTIME_MOUNTS,
            ...requests.map(({ target }) => target),
            ...sessionTargets(ofSession).flatMap((target) => target ?? []),
            ...volumes,
            ...(script === undefined ? [] : [SCRIPT_PLACE]),
          ],
        },
        async (root) => {
          for (const path of [workdir, ...volumes]) makeMissing(root, path);
          const prepared = await prepareMounts(run, requests, stage.index);
          try {
            const given = await openSessionMounts(run.session, ofSession);
            const mounts: StepMount[] = [...prepared.mounts, ...given.mounts];
            if (script !== undefined) mounts.push(await scriptMount(stageRun, script));
            const code = await parts.runner
              .run({
                rootfs: root,
                args: command,
                env: [...env, ...declared.told, ...declared.hidden, ...given.env],
                cwd: workdir,
                user: config.User ?? '',
                network,
                privileged: false,
                extraHosts: parameters.extraHosts,
                hostname: id.slice(0, 12),
                mounts,
                shmSizeBytes: parameters.shmSizeBytes,
                ulimits: parameters.ulimits,
                resources: parameters.resources,
                cgroupParent: parameters.cgroupParent,
                onOutput: outputTo(lane),
                signal,
              })
              .catch((error: unknown) => {
                // A command that cannot be started has no exit code of its own in the stream.
                throw error instanceof Error && 'exitCode' in error ? unavailable(error.message, error) : error;
              });
            if (code !== 0) throw commandFailed(command, code);
            return true;
          } finally {
            await prepared.release();
          }
        },
      ),
  };
}

/** Directories that a command may count on: its own, and the image's volumes (which go again if nothing was put in them). */
function makeMissing(root: string, path: string): void {
  const target = resolveInRoot(root, path);
  if (findStat(target) === undefined) makeDirectories(root, target, { uid: 0, gid: 0 });
}

const isOfSession = (request: MountRequest | SessionRequest): request is SessionRequest =>
  request.type === 'secret' || request.type === 'ssh';

function networkOf(own: string | undefined, whole: string): string {
  if (own === undefined || own === 'default') return whole;
  if (own === 'none' || own === 'host') return own;
  throw invalid(`unsupported network mode ${JSON.stringify(own)}`);
}

/** Where a here-document that begins with `#!` lies for its command. */
const SCRIPT_PLACE = '/dev/pipes/EOF';

/** `RUN <<EOF` runs the lines themselves (by their `#!` program, if they have one); `RUN cmd <<EOF` gives them to the shell as they stand. */
function commandWithHeredocs(stageRun: StageRun, { command, heredocs }: Run): { command: string[]; script?: string } {
  const { config } = stageRun.state;
  if (heredocs.length === 0) return { command: commandOf(command, config) };
  if (!('shell' in command)) throw invalid('parsing produced an invalid run command');
  const [first] = heredocs;
  if (heredocs.length === 1 && first !== undefined && heredocStart(command.shell.trim()) !== undefined) {
    const content = first.chomp ? chomped(first) : first.content;
    if (first.content.startsWith('#!')) return { command: [SCRIPT_PLACE], script: content };
    return { command: commandOf({ shell: content }, config) };
  }
  return {
    command: commandOf(
      { shell: [command.shell, ...heredocs.map(({ content, name }) => `${content}${name}`)].join('\n') },
      config,
    ),
  };
}

export const chomped = ({ content }: Heredoc): string => content.replace(/^\t+/gm, '');

async function scriptMount({ run }: StageRun, script: string): Promise<StepMount> {
  const path = join(await run.scratch(), 'script');
  await writeFile(path, script);
  await chmod(path, 0o755);
  return { type: 'bind', source: path, target: SCRIPT_PLACE, readonly: true };
}

/** Characters cut by a chunk's end are put together. */
function outputTo(lane: Lane): (chunk: { stream: 1 | 2; data: Buffer }) => void {
  const decoders = { 1: new StringDecoder('utf8'), 2: new StringDecoder('utf8') };
  return ({ stream: from, data }) => {
    const text = decoders[from].write(data);
    if (text !== '') lane.output(text, from);
  };
}
