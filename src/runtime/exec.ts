import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execByConmon } from './exec-conmon.ts';
import { execByPipes } from './exec-pipes.ts';
import type { ExecOptions, ExecPlan } from './exec-plan.ts';
import type { ExecHandle } from './types.ts';

/**
 * Pipes cost one process, the runtime's. A terminal needs someone to hold its master, and what is detached should outlive the daemon:
 * those go through conmon.
 */
export async function startExec(options: ExecOptions): Promise<ExecHandle> {
  const directory = await mkdtemp(join(options.bundle, 'x-'));
  const processPath = join(directory, 'p');
  await writeFile(processPath, JSON.stringify({ ...options.process, terminal: options.terminal }));
  const command = String((options.process as { args?: string[] }).args?.[0] ?? '');
  const plan: ExecPlan = { ...options, ...withOomScore(options), directory, processPath, command };
  const discard = () => rm(directory, { recursive: true, force: true });
  try {
    const handle = await (options.terminal || options.detach ? execByConmon(plan) : execByPipes(plan));
    void handle.exit.then(discard, discard);
    return handle;
  } catch (error) {
    await discard();
    throw error;
  }
}

/** crun's exec does not look at the process's oomScoreAdj: it gets that of the runtime, which therefore takes it first. */
function withOomScore({
  process,
  runtimePath,
  runtimeArgs,
}: ExecOptions): Pick<ExecOptions, 'runtimePath' | 'runtimeArgs'> {
  const score = Number(process.oomScoreAdj ?? 0);
  if (score === 0) return { runtimePath, runtimeArgs };
  const script = `echo ${score} >/proc/self/oom_score_adj; exec "$@"`;
  return { runtimePath: '/bin/sh', runtimeArgs: ['-c', script, 'sh', runtimePath, ...runtimeArgs] };
}
