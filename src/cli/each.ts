import { errorText } from './dispatch.ts';
import { ExitError } from './spec.ts';

/** As many requests as Docker's CLI has under way at once. */
const PARALLEL = 50;

/**
 * Does something for each name, several at a time, and says in the given order what became of them. All are tried;
 * the failures are then said together and the exit code is 1.
 */
export async function forEach<T>(
  names: readonly T[],
  action: (name: T) => Promise<unknown>,
  done: (name: T) => void,
): Promise<void> {
  const results: Promise<unknown>[] = [];
  const failures: string[] = [];
  let next = 0;
  const start = (): void => {
    while (next < names.length && results.length < names.length && next - finished < PARALLEL) {
      const result = action(names[next++]!);
      result.catch(() => {});
      results.push(result);
    }
  };
  let finished = 0;
  start();
  for (const [index, name] of names.entries()) {
    try {
      await results[index];
      done(name);
    } catch (error) {
      if (error instanceof Error && error.name === 'ConnectionError') throw error;
      failures.push(errorText(error));
    }
    finished++;
    start();
  }
  if (failures.length > 0) throw new ExitError(1, failures.join('\n'));
}

/** The same one after the other, for what must not overlap. */
export async function inTurn<T>(names: readonly T[], action: (name: T) => Promise<void>): Promise<void> {
  const failures: string[] = [];
  for (const name of names) {
    try {
      await action(name);
    } catch (error) {
      if (error instanceof Error && error.name === 'ConnectionError') throw error;
      failures.push(errorText(error));
    }
  }
  if (failures.length > 0) throw new ExitError(1, failures.join('\n'));
}
