import { spawn } from 'node:child_process';

/** How much longer than usual is waited, for machines that are emulated. */
const PATIENCE = Number(process.env.GANTRY_TEST_PATIENCE ?? 1);

export interface Outcome {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs a program to its end; never throws for an exit code. */
export function execute(
  file: string,
  args: readonly string[],
  options: { env?: Record<string, string>; input?: string | Buffer; timeoutMs?: number; cwd?: string } = {},
): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, {
      env: { ...process.env, ...options.env },
      stdio: ['pipe', 'pipe', 'pipe'],
      cwd: options.cwd,
    });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
    const limitMs = (options.timeoutMs ?? 120_000) * PATIENCE;
    const timer = setTimeout(() => {
      err.push(Buffer.from(`\n[test] ended after ${limitMs} ms\n`));
      child.kill('SIGKILL');
    }, limitMs);
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      resolve({
        code: code ?? (signal === null ? -1 : 128),
        stdout: Buffer.concat(out).toString(),
        stderr: Buffer.concat(err).toString(),
      });
    });
    child.stdin.on('error', () => {});
    child.stdin.end(options.input ?? '');
  });
}

/** Polls until the condition holds (any value but undefined and false); throws what was awaited when the time is over. */
export async function eventually<T>(
  what: string,
  condition: () => Promise<T | undefined | false> | T | undefined | false,
  timeoutMs = 60_000,
): Promise<T> {
  const end = Date.now() + timeoutMs * PATIENCE;
  for (;;) {
    const value = await condition();
    if (value !== undefined && value !== false) return value as T;
    if (Date.now() > end) throw new Error(`not within ${timeoutMs * PATIENCE} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
