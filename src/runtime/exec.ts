import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import type { createServer, Socket } from 'node:net';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { execFailure } from './failure.ts';
import { FrameQueue } from './streams.ts';
import type { ExecHandle } from './types.ts';

export interface ExecOptions {
  id: string;
  execId: string;
  process: Record<string, unknown>;
  terminal: boolean;
  stdin: boolean;
  detach: boolean;
  bundle: string;
  runtimePath: string;
  runtimeArgs: string[];
}

/**
 * An exec is one process of the runtime's: it stays as the parent of the container's process and ends with its exit code. Its pipes are
 * the process's own.
 */
export async function startExec(options: ExecOptions): Promise<ExecHandle> {
  const dir = await mkdtemp(join(options.bundle, 'x-'));
  const specPath = join(dir, 'p');
  const pidPath = join(dir, 'pid');
  const logPath = join(dir, 'log');
  await writeFile(specPath, JSON.stringify(options.process));
  const args = [
    ...options.runtimeArgs,
    '--log',
    logPath,
    '--log-format',
    'json',
    'exec',
    '--process',
    specPath,
    '--pid-file',
    pidPath,
  ];
  const command = String((options.process as { args?: string[] }).args?.[0] ?? '');
  const output = new FrameQueue();
  const child = spawn(options.runtimePath, [...args, options.id], {
    stdio: [options.stdin ? 'pipe' : 'ignore', 'pipe', 'pipe'],
  });
  let stderrText = '';
  child.stdout?.on('data', (data: Buffer) => output.push({ stream: 1, data }));
  const held: Buffer[] = [];
  let started = false;
  child.stderr?.on('data', (data: Buffer) => {
    if (started) output.push({ stream: 2, data });
    else {
      held.push(data);
      stderrText += data;
    }
  });
  const exit = new Promise<number>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      output.end();
      void rm(dir, { recursive: true, force: true });
      resolve(code ?? (signal === null ? 255 : 137));
    });
  });
  const ended = new AbortController();
  const pid = await Promise.race([pollPid(pidPath, ended.signal), exit.then(() => 0)]).finally(() => ended.abort());
  const complaint = await readFile(logPath, 'utf8').catch(() => '');
  if (pid === 0) {
    const code = await exit;
    if (complaint !== '') throw execFailure(complaint || stderrText, command);
    for (const data of held) output.push({ stream: 2, data });
    return {
      pid: 0,
      stdin: new Writable({ write: (_c, _e, done) => done() }),
      output,
      closeStdin: () => {},
      resize: async () => {},
      exit: Promise.resolve(code),
    };
  }
  started = true;
  for (const data of held) output.push({ stream: 2, data });
  return {
    pid,
    stdin: child.stdin ?? new Writable({ write: (_c, _e, done) => done() }),
    output,
    closeStdin: () => child.stdin?.end(),
    resize: async () => {},
    exit,
  };
}

async function pollPid(path: string, ended: AbortSignal): Promise<number> {
  for (let waitMs = 1; !ended.aborted; waitMs = Math.min(waitMs * 2, 50)) {
    const text = await readFile(path, 'utf8').catch(() => '');
    if (text !== '') return Number.parseInt(text, 10);
    await new Promise((resolve) => setTimeout(resolve, waitMs));
  }
  return 0;
}
