import { spawn } from 'node:child_process';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
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
  const child = spawn(
    plan.runtimePath,
    [
      ...[...plan.runtimeArgs, '--log', logPath, '--log-format', 'json'],
      ...['exec', '--process', plan.processPath, '--pid-file', pidPath, plan.id],
    ],
    { stdio: [plan.stdin ? 'pipe' : 'ignore', 'pipe', 'pipe'] },
  );
  child.stdin?.on('error', () => {});
  const queue = new FrameQueue({
    highBytes: BUFFER_BYTES,
    onFull: () => {
      child.stdout?.pause();
      child.stderr?.pause();
    },
    onDrained: () => {
      child.stdout?.resume();
      child.stderr?.resume();
    },
  });
  child.stdout?.on('data', (data: Buffer) => queue.push({ stream: 1, data }));
  // The runtime's own words come this way too; they are no output of the process's if that never began.
  child.stderr?.on('data', (data: Buffer) => queue.push({ stream: 2, data }));
  child.once('close', () => queue.end());
  let ended = false;
  const exit = new Promise<number>((resolve, reject) => {
    child.once('error', (error) => {
      queue.end();
      reject(error);
    });
    child.once('exit', (code) => resolve(code ?? 137));
  }).finally(() => {
    ended = true;
  });
  exit.catch(() => {});

  let pid = 0;
  while (pid === 0) {
    const last = ended;
    pid = Number.parseInt(await readFile(pidPath, 'utf8').catch(() => ''), 10) || 0;
    if (last) break;
    if (pid === 0) await Promise.race([sleep(3), exit]);
  }
  if (pid === 0) {
    const log = await readFile(logPath, 'utf8').catch(() => '');
    await rm(plan.directory, { recursive: true, force: true });
    await exit;
    throw execFailure(log === '' ? await textOf(queue) : log, plan.command);
  }
  void exit.then(() => rm(plan.directory, { recursive: true, force: true }));
  return {
    pid,
    stdin: child.stdin ?? new Writable({ write: (_chunk, _encoding, done) => done() }),
    output: queue,
    closeStdin: () => void child.stdin?.end(),
    resize: async () => {},
    exit,
  };
}

async function textOf(queue: FrameQueue): Promise<string> {
  let text = '';
  for await (const { data } of queue) text += data;
  return text;
}
