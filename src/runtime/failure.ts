import { EngineError, invalid } from '../common/index.ts';

/** A container or exec that could not be started; `exitCode` is what Docker reports: 127 not found, 126 not executable, 128 else. */
export class StartFailure extends EngineError {
  readonly exitCode: 126 | 127 | 128;
  constructor(message: string, exitCode: 126 | 127 | 128) {
    super(exitCode === 128 ? 'internal' : 'invalid', message);
    this.exitCode = exitCode;
  }
}

const PREFIX = 'failed to create task for container: failed to create shim task: OCI runtime create failed: ';

/** The cause in runc's words, from what runc or crun wrote (JSON log lines or text). */
function cause(text: string, command: string): { words: string; exitCode: 126 | 127 | 128 } {
  const messages = [...text.matchAll(/(?:"msg":\s*|\bmsg=)"((?:[^"\\]|\\.)*)"/g)].map(
    (match) => JSON.parse(`"${match[1]}"`) as string,
  );
  const message = (messages.at(-1) ?? text).trim();
  const notFound =
    /executable file `?([^`]*)`? not found in \$PATH|exec: "([^"]*)": (?:executable file not found in \$PATH|stat [^:]*: no such file or directory)|open executable: No such file or directory|cannot find `?([^`]*)`? in|no such file or directory/i;
  const quoted = JSON.stringify(command);
  const missingCwd = /chdir to cwd \("[^"]*"\) set in config\.json failed: [\s\S]*/.exec(message);
  if (missingCwd !== null) return { words: missingCwd[0].trim(), exitCode: 127 };
  const crunCwd = /chdir `([^`]*)`: (No such file or directory|Not a directory)/.exec(message);
  if (crunCwd !== null)
    return {
      words: `chdir to cwd (${JSON.stringify(crunCwd[1])}) set in config.json failed: ${crunCwd[2]?.toLowerCase()}`,
      exitCode: 127,
    };
  if (/executable file not found in \$PATH|not found in \$PATH/.test(message))
    return { words: `exec: ${quoted}: executable file not found in $PATH`, exitCode: 127 };
  if (/is a directory/i.test(message))
    return { words: `exec: ${quoted}: is a directory: permission denied`, exitCode: 126 };
  // crun opens the program before it looks what it is, and says that a directory is not permitted.
  if (/permission denied|operation not permitted/i.test(message) && /exec|open executable|access/i.test(message))
    return { words: `exec: ${quoted}: permission denied`, exitCode: 126 };
  if (notFound.test(message) && /exec/.test(message))
    return {
      words: `exec: ${quoted}: ${command.includes('/') ? `stat ${command}: no such file or directory` : 'executable file not found in $PATH'}`,
      exitCode: 127,
    };
  const inner = /unable to start container process: (?:error during container init: )?([\s\S]*)$/.exec(message);
  return { words: inner?.[1] ?? message, exitCode: 128 };
}

/** `docker run` words for a failed create or start. */
export function createFailure(text: string, command: string): StartFailure {
  const { words, exitCode } = cause(text, command);
  return new StartFailure(
    `${PREFIX}runc create failed: unable to start container process: error during container init: ${words}`,
    exitCode,
  );
}

/** `docker exec` words. */
export function execFailure(text: string, command: string): StartFailure {
  const { words, exitCode } = cause(text, command);
  return new StartFailure(
    `OCI runtime exec failed: exec failed: unable to start container process: ${words}`,
    exitCode,
  );
}

export const invalidRuntime = (name: string) => invalid(`unknown or invalid runtime name: ${name}`);
