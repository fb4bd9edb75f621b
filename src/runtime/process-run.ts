import { spawnPiped } from '../sys/index.ts';

/** What is kept of a program's words. */
const KEPT_BYTES = 65536;

/** Runs a short-lived program by its path; resolves with its exit code and what it wrote (at most 64 KiB of each). */
export async function runProgram(
  path: string,
  args: readonly string[],
  options: { captureStdout?: boolean } = {},
): Promise<{ code: number; stderr: string; stdout: string }> {
  const child = spawnPiped(path, args, {
    env: [`PATH=${process.env.PATH}`],
    pipes: ['null', options.captureStdout === true ? 'out' : 'null', 'out'],
  });
  const [, stdout, stderr] = child.streams;
  const [code, out, complaint] = await Promise.all([child.exit, textOf(stdout), textOf(stderr)]);
  return { code, stdout: out, stderr: complaint };
}

async function textOf(stream: AsyncIterable<Buffer> | undefined): Promise<string> {
  let text = '';
  for await (const chunk of stream ?? []) if (text.length < KEPT_BYTES) text += chunk.toString();
  return text;
}
