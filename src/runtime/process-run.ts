import { spawn } from 'node:child_process';

/** Runs a short-lived program; resolves with its exit code and what it wrote to stderr (at most 64 KiB). */
export function runProgram(
  file: string,
  args: readonly string[],
  options: { cwd?: string; captureStdout?: boolean } = {},
): Promise<{ code: number; stderr: string; stdout: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, {
      stdio: ['ignore', options.captureStdout === true ? 'pipe' : 'ignore', 'pipe'],
      cwd: options.cwd,
    });
    const collected = { stdout: '', stderr: '' };
    const collect = (key: 'stdout' | 'stderr') => (chunk: Buffer) => {
      if (collected[key].length < 65536) collected[key] += chunk.toString();
    };
    child.stderr?.on('data', collect('stderr'));
    child.stdout?.on('data', collect('stdout'));
    child.on('error', reject);
    child.on('close', (code) => resolve({ code: code ?? 128, ...collected }));
  });
}
