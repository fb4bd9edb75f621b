import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { invalid } from '../../common/index.ts';

const run = promisify(execFile);

/** `ps` of the machine, restricted to a container's processes (moby daemon/top_unix.go). */
export async function top(
  pids: readonly number[],
  psArgs: string,
): Promise<{ Titles: string[]; Processes: string[][] }> {
  const args = (psArgs === '' ? '-ef' : psArgs).split(/\s+/).filter((word) => word !== '');
  const output = await run('ps', [...args, '-q', pids.join(',')]).catch((error: Error & { stderr?: string }) =>
    plain(args, error),
  );
  const lines = output.stdout.split('\n').filter((line) => line !== '');
  const Titles = (lines[0] ?? '').trim().split(/\s+/);
  const pidColumn = Titles.indexOf('PID');
  if (pidColumn < 0) throw invalid("Couldn't find PID field in ps output");
  const wanted = new Set(pids.map(String));
  const Processes = lines
    .slice(1)
    .map((line) => {
      const fields = line.trim().split(/\s+/);
      return [...fields.slice(0, Titles.length - 1), fields.slice(Titles.length - 1).join(' ')];
    })
    .filter((fields) => wanted.has(fields[pidColumn] ?? ''));
  return { Titles, Processes };
}

/** Some ps options do not go with -q: then all processes are listed and filtered. */
async function plain(args: readonly string[], first: Error & { stderr?: string }): Promise<{ stdout: string }> {
  return run('ps', args).catch((error: Error & { stderr?: string }) => {
    throw invalid(`ps: ${(error.stderr ?? first.stderr ?? error.message).split('\n')[0]}`);
  });
}
