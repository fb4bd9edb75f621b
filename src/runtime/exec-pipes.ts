import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { spawnPiped } from '../sys/index.ts';
import type { ExecPlan } from './exec-plan.ts';
import { execFailure } from './failure.ts';
import { FrameQueue } from './streams.ts';
import type { ExecHandle } from './types.ts';

/** Held for a slow reader before the process itself is made to wait. */
const BUFFER_BYTES = 1 << 20;

/** An exec without a terminal: the runtime stays as the process's parent, ends with its exit code, and its pipes are the process's own. */
export async function execByPipes(plan: ExecPlan): Promise<ExecHandle> {
  const pidPath = join(plan.directory, 'pid');
  const logPath = join(plan.directory, 'log');
  const child = spawnPiped(
    plan.runtimePath,
    [
      ...[...plan.runtimeArgs, '--log', logPath, '--log-format', 'json'],
      ...['exec', '--process', plan.processPath, '--pid-file', pidPath, plan.id],
    ],
    // No /dev/null where there is no input, but an empty pipe: crun gives the process's user what is its descriptor 0, the machine's /dev/null too.
    { env: [`PATH=${process.env.PATH}`], pipes: ['in', 'out', 'out'] },
  );
  const [stdin, stdout, stderr] = child.streams;
  if (!plan.stdin) stdin?.end();
  for (const stream of child.streams) stream?.on('error', () => {});
  const queue = new FrameQueue({
    highBytes: BUFFER_BYTES,
    onFull: () => {
      stdout?.pause();
      stderr?.pause();
    },
    onDrained: () => {
      stdout?.resume();
      stderr?.resume();
    },
  });
  stdout?.on('data', (data: Buffer) => queue.push({ stream: 1, data }));
  // The runtime's own words come this way too; they are no output of the process's if that never began.
  stderr?.on('data', (data: Buffer) => queue.push({ stream: 2, data }));
  let open = 2;
  for (const stream of [stdout, stderr]) stream?.once('close', () => --open === 0 && queue.end());
  let ended = false;
  const exit = child.exit.finally(() => {
    ended = true;
  });

  let pid = 0;
  while (pid === 0) {
    const last = ended;
    pid = Number.parseInt(await readFile(pidPath, 'utf8').catch(() => ''), 10) || 0;
    if (last) break;
    if (pid === 0) await Promise.race([sleep(3), exit]);
  }
  if (pid === 0) {
    const log = await readFile(logPath, 'utf8').catch(() => '');
    await exit;
    throw execFailure(log === '' ? await textOf(queue) : log, plan.command);
  }
  return {
    pid,
    stdin: stdin!,
    output: queue,
    closeStdin: () => void stdin?.end(),
    detach: () => {
      stdin?.end();
      queue.abandon();
    },
    resize: async () => {},
    exit,
  };
}

async function textOf(queue: FrameQueue): Promise<string> {
  let text = '';
  for await (const { data } of queue) text += data;
  return text;
}
