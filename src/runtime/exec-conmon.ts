import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { startConmon } from './conmon.ts';
import type { ExecPlan } from './exec-plan.ts';
import { execFailure } from './failure.ts';
import { attachTo } from './streams.ts';
import type { ExecHandle } from './types.ts';

const nowhere = () => new Writable({ write: (_chunk, _encoding, done) => done() });
async function* nothing(): AsyncGenerator<{ stream: 1 | 2; data: Buffer }> {}

/** Puts an empty pipe where conmon has /dev/null: crun would give the process's user the machine's. */
const EMPTY_INPUT = ['/bin/sh', '-c', 'exec "$@" <<E\nE', 'sh'];

/** An exec whose streams conmon holds: a terminal, or one that nobody listens to. */
export async function execByConmon(plan: ExecPlan): Promise<ExecHandle> {
  const { directory } = plan;
  const listen = !plan.detach;
  const [program = '', ...words] = [...(plan.stdin ? [] : EMPTY_INPUT), plan.runtimePath, ...plan.runtimeArgs];
  const args = [
    ...['--api-version', '1', '-c', plan.id, '-u', plan.execId, '-r', program, '-b', directory],
    ...['-p', join(directory, 'pid'), '--exit-dir', directory, '--full-attach', '-l', 'none', '--log-level', 'error'],
    ...['-e', '--exec-process-spec', plan.processPath],
    ...words.flatMap((word) => ['--runtime-arg', word]),
    ...(listen ? ['--exec-attach'] : []),
    ...(plan.terminal ? ['-t'] : []),
    ...(plan.stdin ? ['-i', '--leave-stdin-open'] : []),
  ];
  const conmon = startConmon(plan.conmonPath, args, directory, listen);
  try {
    let streams: Awaited<ReturnType<typeof attachTo>> | undefined;
    if (listen) {
      await conmon.attachable();
      streams = await attachTo(join(directory, 'attach'), plan.spillDirectory);
      conmon.go();
    }
    const answer = await conmon.next();
    if (answer === undefined || answer.data <= 0) {
      streams?.detach();
      throw execFailure(answer?.message ?? conmon.complaint(), plan.command);
    }
    const exit = conmon.next().then((ended) => {
      conmon.release();
      return ended?.data ?? 137;
    });
    return {
      pid: answer.data,
      stdin: streams?.stdin ?? nowhere(),
      output: streams?.output ?? nothing(),
      closeStdin: () => streams?.closeStdin(),
      detach: () => streams?.detach(),
      resize: ({ rows, columns }) => resizeBy(directory, rows, columns),
      exit,
    };
  } catch (error) {
    conmon.release();
    throw error;
  }
}

/** conmon's control fifo: message 1 is a window size (conmon src/ctrl.c). Opened for both ways, so that a dead conmon cannot block it. */
export const resizeBy = (bundle: string, rows: number, columns: number): Promise<void> =>
  writeFile(join(bundle, 'ctl'), `1 ${rows} ${columns}\n`, { flag: 'r+' });
