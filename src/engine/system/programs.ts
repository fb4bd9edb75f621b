import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Versions of the programs below the engine; each is asked once. */
export class ProgramVersions {
  readonly #answers = new Map<string, Promise<{ version: string; commit: string }>>();

  of(path: string): Promise<{ version: string; commit: string }> {
    let answer = this.#answers.get(path);
    if (answer === undefined) {
      answer = ask(path);
      this.#answers.set(path, answer);
    }
    return answer;
  }
}

/** `runc version 1.3.6\ncommit: …`, `crun version 1.8.1\ncommit: …`, `conmon version 2.1.6\ncommit: …`. */
async function ask(path: string): Promise<{ version: string; commit: string }> {
  try {
    const { stdout } = await run(path, ['--version'], { timeout: 10_000 });
    return { version: /version:? +(\S+)/.exec(stdout)?.[1] ?? '', commit: /commit: *(\S+)/.exec(stdout)?.[1] ?? '' };
  } catch {
    return { version: 'N/A', commit: 'N/A' };
  }
}
