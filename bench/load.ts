import { performance } from 'node:perf_hooks';
import { TestDaemon } from '../test/support/index.ts';
import type { BenchEngine } from './engines.ts';
import { cli } from './engines.ts';
import { inTurns, median, type Row } from './measure.ts';

const CONTAINERS = 300;
const CLIENTS = 16;
const FEW = 10;
const RUNS = 15;

/** Does `job` for each of the names, by so many clients at once; answers with milliseconds of the whole. */
async function byClients(names: readonly string[], job: (name: string) => Promise<void>): Promise<number> {
  const queue = [...names];
  const started = performance.now();
  await Promise.all(
    Array.from({ length: CLIENTS }, async () => {
      for (let name = queue.shift(); name !== undefined; name = queue.shift()) await job(name);
    }),
  );
  return performance.now() - started;
}

const named = (count: number) => Array.from({ length: count }, (_, index) => `load-${index}`);

async function expect(daemon: TestDaemon, method: string, path: string, status: number, body?: unknown): Promise<void> {
  const answer = await daemon.api(method, path, body);
  if (answer.status !== status) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`);
}

async function runMany(daemon: TestDaemon, count: number): Promise<number> {
  return byClients(named(count), async (name) => {
    const body = { Image: 'busybox', Cmd: ['sleep', '3600'], StopSignal: 'SIGKILL', Labels: { load: 'yes' } };
    await expect(daemon, 'POST', `/containers/create?name=${name}`, 201, body);
    await expect(daemon, 'POST', `/containers/${name}/start`, 204);
  });
}

/** How many of the load's containers there are in a state; a lost one is an error, not a number. */
async function mustBe(daemon: TestDaemon, status: string, count: number): Promise<void> {
  const filters = encodeURIComponent(JSON.stringify({ label: ['load=yes'], status: [status] }));
  const found = (await daemon.api('GET', `/containers/json?all=1&filters=${filters}`)).json as unknown[];
  if (found.length !== count) throw new Error(`${found.length} of ${count} containers are ${status}`);
}

/**
 * Many containers on one daemon, started, listed, stopped and removed by many clients at once; and what `ps`, `inspect` and `run` cost among
 * them compared with what they cost among few. Nothing may be lost; that nothing leaks is seen when the daemons end.
 */
export async function load(_engines: BenchEngine[], gantry: TestDaemon): Promise<Row[]> {
  const rows: Row[] = [];
  const add = (what: string, unit: Row['unit'], value: number, runs = 1) =>
    rows.push({ suite: 'load', what, unit, runs, values: { gantry: value } });
  const names = named(CONTAINERS);
  {
    await using few = await TestDaemon.start();
    await runMany(few, FEW);
    add(`${CONTAINERS} created and started by ${CLIENTS}`, 'ms', await runMany(gantry, CONTAINERS));
    await mustBe(gantry, 'running', CONTAINERS);
    const commands = {
      'ps -aq': ['ps', '-aq'],
      inspect: ['inspect', 'load-5'],
      'run --rm': ['run', '--rm', 'busybox', 'true'],
    };
    for (const [what, args] of Object.entries(commands)) {
      const run = (daemon: TestDaemon) => async () => void (await cli(daemon.host)(...args));
      const times = await inTurns(RUNS, { few: run(few), many: run(gantry) });
      const [among, beside] = [median(times.many ?? []), median(times.few ?? [])];
      add(`${what} at ${FEW}`, 'ms', beside, RUNS);
      add(`${what} at ${CONTAINERS}`, 'ms', among, RUNS);
      add(`${what}: ${CONTAINERS} to ${FEW}`, 'times', among / beside, RUNS);
    }
  }
  add(
    `${CONTAINERS} lists by ${CLIENTS}`,
    'ms',
    await byClients(names, () => expect(gantry, 'GET', '/containers/json?all=1', 200)),
  );
  add(
    `${CONTAINERS} stopped by ${CLIENTS}`,
    'ms',
    await byClients(names, (name) => expect(gantry, 'POST', `/containers/${name}/stop`, 204)),
  );
  await mustBe(gantry, 'exited', CONTAINERS);
  add(
    `${CONTAINERS} removed by ${CLIENTS}`,
    'ms',
    await byClients(names, (name) => expect(gantry, 'DELETE', `/containers/${name}`, 204)),
  );
  await mustBe(gantry, 'exited', 0);
  return rows;
}
