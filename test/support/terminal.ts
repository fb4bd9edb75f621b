import assert from 'node:assert/strict';
import { join } from 'node:path';
import { execute } from './command.ts';

const checkout = join(import.meta.dirname, '../..');

/** What happens in the terminal, one after the other. */
export type Step =
  /** Text that must show up behind what was found before. */
  | { expect: string }
  | { send: string }
  /** Rows, columns. */
  | { resize: [number, number] }
  /** To the program. */
  | { signal: string }
  /** A program beside it, that must succeed. */
  | { run: string[] };

export interface Seen {
  output: string;
  /** Negative: the signal that ended the program. */
  code: number | null;
}

interface Options {
  env: Record<string, string>;
  rows?: number;
  cols?: number;
  cwd?: string;
}

/** Runs `gantry` in a pseudo-terminal until it ends. Fails if a text never shows up, or if the terminal is not as it was before. */
export const inTerminal = (args: readonly string[], steps: readonly Step[], options: Options): Promise<Seen> =>
  programInTerminal([join(checkout, 'bin/gantry'), ...args], steps, options);

/** The same with any program, as a shell. */
export async function programInTerminal(
  cmd: readonly string[],
  steps: readonly Step[],
  options: Options,
): Promise<Seen> {
  const { env, cwd, ...size } = options;
  // A build service says so in the environment; a terminal is one there too.
  const whole = { GANTRY_NO_AUTOSTART: '1', TERM: 'xterm', CI: 'true', ...env };
  const job = { cmd, env: whole, steps, ...size };
  const outcome = await execute('python3', [join(checkout, 'test/support/terminal.py'), JSON.stringify(job)], { cwd });
  assert.equal(outcome.code, 0, outcome.stderr);
  const seen = JSON.parse(outcome.stdout) as Seen & { problem: string | null; sane: boolean };
  assert.equal(seen.problem, null, seen.output);
  assert.equal(seen.sane, true, 'the terminal echoes, edits lines and processes output, as before');
  return seen;
}
