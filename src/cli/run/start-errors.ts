import { errorText } from '../dispatch.ts';
import { ExitError } from '../spec.ts';

/**
 * The exit code of `run` for a container that could not be made or started: 127 if its program is missing, 126 if it cannot be
 * executed, 125 for all else (docker/cli container/run.go toStatusError).
 */
export function startFailure(error: unknown, verb: 'create' | 'run'): ExitError {
  if (error instanceof ExitError) return error;
  const text = errorText(error);
  const code = /executable file not found|no such file or directory|system cannot find the file/.test(text)
    ? 127
    : /permission denied|is a directory/.test(text)
      ? 126
      : 125;
  const daemon = error instanceof Error && error.name === 'ApiError';
  return new ExitError(daemon ? code : 125, `gantry: ${text}\n\nRun 'gantry ${verb} --help' for more information`, {
    cause: error,
  });
}
