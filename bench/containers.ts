import { readdirSync, readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import type { TestDaemon } from '../test/support/index.ts';
import type { BenchEngine } from './engines.ts';
import { inTurns, median, type Row } from './measure.ts';

const RUNS = 15;

async function row(
  engines: BenchEngine[],
  what: string,
  body: (engine: BenchEngine) => Promise<void>,
  runs = RUNS,
): Promise<Row> {
  const times = await inTurns(runs, Object.fromEntries(engines.map((engine) => [engine.name, () => body(engine)])));
  return {
    suite: 'containers',
    what,
    unit: 'ms',
    runs,
    values: Object.fromEntries(Object.entries(times).map(([name, list]) => [name, median(list)])),
  };
}

const rssMb = (pid: number) =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;

/** What a process has of memory, its shares of what it has with others counted (proc_pid_smaps_rollup); 0 when it is gone. */
function pssMb(pid: number | string): number {
  try {
    return Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}

/** The processes that an engine keeps for a container name it in their command line: conmon, containerd-shim. */
function keepersMb(ids: readonly string[]): number {
  let total = 0;
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    let words = '';
    try {
      words = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
    } catch {
      continue;
    }
    if (ids.some((id) => words.includes(id))) total += pssMb(pid);
  }
  return total;
}

const MEMORY_CONTAINERS = 20;

/** Memory per container beyond its own: its keepers, and what the daemon grows by. */
async function memory(engines: BenchEngine[], gantry: TestDaemon): Promise<Row[]> {
  const keepers: Record<string, number> = {};
  let daemon = 0;
  for (const engine of engines) {
    const before = pssMb(gantry.pid);
    const ids: string[] = [];
    for (let i = 0; i < MEMORY_CONTAINERS; i++)
      ids.push(await engine.docker('run', '-d', '--name', `bench-memory-${i}`, 'busybox', 'sleep', '3600'));
    keepers[engine.name] = keepersMb(ids) / MEMORY_CONTAINERS;
    if (engine.name === 'gantry') daemon = (pssMb(gantry.pid) - before) / MEMORY_CONTAINERS;
    await engine.docker('rm', '-f', ...ids);
  }
  const row = { suite: 'containers', unit: 'MB', runs: 1 } as const;
  return [
    { ...row, what: 'memory per container: its keepers', values: keepers },
    { ...row, what: 'memory per container: growth of the daemon', values: { gantry: daemon } },
  ];
}

/** run, exec, create, many starts, ps, log throughput, memory (issue: the spine). */
export async function containers(engines: BenchEngine[], gantry: TestDaemon): Promise<Row[]> {
  const rows: Row[] = [];
  rows.push({ suite: 'containers', what: 'daemon idle', unit: 'MB', runs: 1, values: { gantry: rssMb(gantry.pid) } });
  rows.push(
    await row(
      engines,
      'run --rm, bridge',
      async (engine) => void (await engine.docker('run', '--rm', 'busybox', 'true')),
    ),
  );
  rows.push(
    await row(
      engines,
      'run --rm, no network',
      async (engine) => void (await engine.docker('run', '--rm', '--network', 'none', 'busybox', 'true')),
    ),
  );
  for (const engine of engines) await engine.docker('run', '-d', '--name', 'bench-exec', 'busybox', 'sleep', '3600');
  rows.push(await row(engines, 'exec', async (engine) => void (await engine.docker('exec', 'bench-exec', 'true'))));
  for (const engine of engines) await engine.docker('rm', '-f', 'bench-exec');
  let n = 0;
  rows.push(
    await row(
      engines,
      'create',
      async (engine) => void (await engine.docker('create', '--name', `bench-create-${n++}`, 'busybox', 'true')),
    ),
  );
  rows.push(
    await row(engines, 'run -d, then rm -f', async (engine) => {
      const id = await engine.docker('run', '-d', 'busybox', 'sleep', '3600');
      await engine.docker('rm', '-f', id);
    }),
  );
  rows.push(
    await row(
      engines,
      '50 started, 8 at a time',
      async (engine) => {
        const names = Array.from({ length: 50 }, () => `bench-many-${n++}`);
        const queue = [...names];
        await Promise.all(
          Array.from({ length: 8 }, async () => {
            for (let name = queue.shift(); name !== undefined; name = queue.shift())
              await engine.docker('run', '-d', '--name', name, 'busybox', 'sleep', '3600');
          }),
        );
        await engine.docker('rm', '-f', ...names);
      },
      3,
    ),
  );
  rows.push(...(await memory(engines, gantry)));
  for (const engine of engines) {
    for (let i = 0; i < 200; i += 20)
      await Promise.all(
        Array.from({ length: 20 }, (_, k) => engine.docker('create', '--name', `bench-ps-${i + k}`, 'busybox', 'true')),
      );
  }
  rows.push(await row(engines, 'ps -a with 200', async (engine) => void (await engine.docker('ps', '-aq'))));
  const bytes = 64 * 2 ** 20;
  const speeds: Record<string, number> = {};
  for (const engine of engines) {
    const started = performance.now();
    await engine.docker(
      'run',
      '-d',
      '--name',
      'bench-log',
      'busybox',
      'sh',
      '-c',
      `yes 0123456789012345678901234567890123456789012345678901234567890 | head -c ${bytes}`,
    );
    await engine.docker('wait', 'bench-log');
    speeds[engine.name] = bytes / 1e6 / ((performance.now() - started) / 1000);
  }
  rows.push({ suite: 'containers', what: 'log throughput', unit: 'MB/s', runs: 1, values: speeds });
  for (const engine of engines) {
    const all = (await engine.docker('ps', '-aq', '--filter', 'name=bench-')).split('\n').filter((id) => id !== '');
    await engine.docker('rm', '-f', ...all);
  }
  return rows;
}
