import { join, resolve } from 'node:path';
import { execute, type TestDaemon } from '../test/support/index.ts';
import type { BenchEngine } from './engines.ts';
import { inTurns, median, type Row } from './measure.ts';

const RUNS = 21;
const checkout = resolve(import.meta.dirname, '..');

/**
 * What the command line itself costs: the same work by `gantry`, by Docker's (both talk to gantryd), and by as little as there can be: an empty
 * program of the same Node for a list, the API's calls over a kept connection for a run.
 */
export async function cli(_engines: BenchEngine[], gantry: TestDaemon): Promise<Row[]> {
  const program = async (file: string, args: string[], env: Record<string, string> = {}): Promise<void> => {
    const outcome = await execute(file, args, { env: { DOCKER_HOST: gantry.host, GANTRY_NO_AUTOSTART: '1', ...env } });
    if (outcome.code !== 0) throw new Error(`${file} ${args.join(' ')}: ${outcome.stderr}`);
  };
  const own = (...args: string[]) => program(join(checkout, 'bin/gantry'), args);
  const docker = (...args: string[]) => program('docker', args);
  const node = join(checkout, `node_modules/node-linux-${process.arch}/bin/node`);
  const row = async (what: string, contenders: Record<string, () => Promise<void>>): Promise<Row> => ({
    suite: 'cli',
    what,
    unit: 'ms',
    runs: RUNS,
    values: Object.fromEntries(
      Object.entries(await inTurns(RUNS, contenders)).map(([name, times]) => [name, median(times)]),
    ),
  });

  const names = Array.from({ length: 50 }, (_, i) => `bench-cli-${i}`);
  for (const name of names) await gantry.ok('create', '--name', name, 'busybox', 'true');
  const rows = [
    await row('ps with 50', {
      gantry: () => own('ps', '-a'),
      docker: () => docker('ps', '-a'),
      'node -e 0': () => program(node, ['-e', '0']),
    }),
    await row('run --rm', {
      gantry: () => own('run', '--rm', 'busybox', 'true'),
      docker: () => docker('run', '--rm', 'busybox', 'true'),
      'API calls': () => runByApi(gantry),
    }),
  ];
  await gantry.ok('rm', ...names);
  return rows;
}

/** What a run is made of: create, start, wait until it is removed. */
async function runByApi(gantry: TestDaemon): Promise<void> {
  const { Id } = (
    await gantry.api('POST', '/containers/create', {
      Image: 'busybox',
      Cmd: ['true'],
      HostConfig: { AutoRemove: true },
    })
  ).json as { Id: string };
  const removed = gantry.api('POST', `/containers/${Id}/wait?condition=removed`);
  await gantry.api('POST', `/containers/${Id}/start`);
  await removed;
}
