import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execute, type TestDaemon } from '../test/support/index.ts';
import type { BenchEngine } from './engines.ts';
import { largeFixture } from './image-fixtures.ts';
import { figuresInTurns, median, millisecondsOf, type Row } from './measure.ts';

const RUNS = Number(process.env.BENCH_VOLUME_RUNS ?? 9);
const COPY_UP_RUNS = Math.min(RUNS, 3);
const MOUNTS = [0, 1, 20];

/** Each contender says its own figure, so that what is made and removed around it does not count. */
async function mediansInTurns(
  runs: number,
  contenders: Record<string, () => Promise<number>>,
): Promise<Record<string, number>> {
  const figures = await figuresInTurns(runs, contenders, 1);
  return Object.fromEntries(Object.entries(figures).map(([name, all]) => [name, median(all)]));
}

const each = (engines: readonly BenchEngine[], measure: (engine: BenchEngine) => Promise<number>) =>
  Object.fromEntries(engines.map((engine) => [engine.name, () => measure(engine)]));

/** What was written or removed before is not to be paid for by who comes next. */
async function settle(): Promise<void> {
  const flush = await execute('sync', []);
  if (flush.code !== 0) throw new Error(`sync: ${flush.stderr}`);
}

/** Starts with volumes, copy-up into a new volume, and how fast a volume is written, beside the peers and the bare file system. */
export async function volumes(engines: readonly BenchEngine[], _gantry: TestDaemon): Promise<Row[]> {
  return [...(await starts(engines)), await copyUp(engines), ...(await writing(engines))];
}

const row = (what: string, unit: Row['unit'], runs: number, values: Record<string, number>): Row => ({
  suite: 'volumes',
  what,
  unit,
  runs,
  values,
});

async function starts(engines: readonly BenchEngine[]): Promise<Row[]> {
  const rows: Row[] = [];
  const volumeNames = Array.from({ length: Math.max(...MOUNTS) }, (_, at) => `bench-mount-${at}`);
  for (const count of MOUNTS) {
    const mounts = volumeNames.slice(0, count).flatMap((name, at) => ['-v', `${name}:/mnt/${at}`]);
    const measure = async ({ docker }: BenchEngine) => {
      const id = await docker('create', '--network', 'none', ...mounts, 'busybox', 'sleep', '3600');
      const ms = await millisecondsOf(() => docker('start', id));
      await docker('rm', '-f', id);
      return ms;
    };
    rows.push(row(`start with ${count} volumes`, 'ms', RUNS, await mediansInTurns(RUNS, each(engines, measure))));
  }
  for (const { docker } of engines) await docker('volume', 'rm', ...volumeNames);
  return rows;
}

async function copyUp(engines: readonly BenchEngine[]): Promise<Row> {
  const { archive } = await largeFixture();
  for (const { docker } of engines) await docker('load', '-q', '-i', archive);
  const measure = async ({ docker }: BenchEngine) => {
    await settle();
    const container = ['--name', 'bench-copy-up', '-v', 'bench-copied:/usr/share', 'large:bench', 'true'];
    const ms = await millisecondsOf(() => docker('create', ...container));
    await docker('rm', 'bench-copy-up');
    await docker('volume', 'rm', 'bench-copied');
    return ms;
  };
  const values = await mediansInTurns(COPY_UP_RUNS, each(engines, measure));
  for (const { docker } of engines) await docker('rmi', 'large:bench');
  return row('create with copy-up of 1 GB in 50,000 files', 'ms', COPY_UP_RUNS, values);
}

const BIG_MB = 1024;
const SMALL_FILES = 20_000;

/** What is written, by busybox's shell in the current directory; prints its start and end in seconds (of CLOCK_BOOTTIME, to 1/100). */
const timed = (work: string) => `read -r from _ </proc/uptime; ${work}; read -r to _ </proc/uptime; echo "$from $to"`;
const WRITES = [
  {
    what: `${BIG_MB} MB written and synced`,
    unit: 'MB/s',
    amount: BIG_MB,
    script: timed(`dd if=/dev/zero of=big bs=1M count=${BIG_MB} conv=fsync 2>/dev/null`),
  },
  {
    what: `${SMALL_FILES} small files made`,
    unit: '1/s',
    amount: SMALL_FILES,
    script: timed(`i=0; while [ $i -lt ${SMALL_FILES} ]; do echo $i >f$i; i=$((i + 1)); done`),
  },
] as const;

const secondsOf = (text: string): number => {
  const [from = Number.NaN, to = Number.NaN] = text.trim().split(' ').map(Number);
  return to - from;
};

/** The same writes by the same shell: in a volume of each engine, and on the file system that Gantry's volumes are on. */
async function writing(engines: readonly BenchEngine[]): Promise<Row[]> {
  const bare = mkdtempSync(join(tmpdir(), 'gt-bench-bare-'));
  try {
    const rows: Row[] = [];
    for (const { what, unit, amount, script } of WRITES) {
      const inVolume = async ({ docker }: BenchEngine) => {
        await settle();
        const container = ['--network', 'none', '-v', 'bench-written:/v', '-w', '/v', 'busybox'];
        const seconds = secondsOf(await docker('run', '--rm', ...container, 'sh', '-c', script));
        await docker('volume', 'rm', 'bench-written');
        return amount / seconds;
      };
      const onBare = async () => {
        await settle();
        const directory = join(bare, 'written');
        mkdirSync(directory);
        const outcome = await execute('/bin/busybox', ['sh', '-c', script], { cwd: directory });
        if (outcome.code !== 0) throw new Error(outcome.stderr);
        rmSync(directory, { recursive: true });
        return amount / secondsOf(outcome.stdout);
      };
      rows.push(
        row(what, unit, RUNS, await mediansInTurns(RUNS, { ...each(engines, inVolume), 'bare file system': onBare })),
      );
    }
    return rows;
  } finally {
    rmSync(bare, { recursive: true, force: true });
  }
}
