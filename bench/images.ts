import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { DockerRegistry, hasDockerRegistry, type TestDaemon } from '../test/support/index.ts';
import type { BenchEngine } from './engines.ts';
import { type ImageFixture, imageFixtures } from './image-fixtures.ts';
import { median, type Row } from './measure.ts';

const RUNS = Number(process.env.BENCH_IMAGE_RUNS ?? 3);

type Times = Map<string, Record<string, number[]>>;

/** Load, save, push, cold and no-op pull of each image by each engine, beside plain `tar x` and sync; and what memory the daemon took. */
export async function images(engines: readonly BenchEngine[], gantry: TestDaemon): Promise<Row[]> {
  const scratch = mkdtempSync(join(tmpdir(), 'gt-bench-'));
  const rows: Row[] = [];
  try {
    for (const fixture of await imageFixtures()) {
      const times: Times = new Map();
      const peak = new Map<string, number>();
      for (let run = 0; run < RUNS; run++) {
        for (const engine of engines) await lifeOf(fixture, engine, scratch, times, memoryOf(engine, gantry, peak));
        byTar(fixture, scratch, times);
      }
      for (const [what, values] of times) rows.push(rowOf(`${fixture.name}: ${what}`, values));
      for (const [what, mb] of peak)
        rows.push({
          suite: 'images',
          what: `${fixture.name}: peak RSS of ${what}`,
          unit: 'MB',
          values: { gantry: mb },
          runs: RUNS,
        });
    }
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
  return rows;
}

const rowOf = (what: string, values: Record<string, number[]>): Row => ({
  suite: 'images',
  what,
  unit: 'ms',
  values: Object.fromEntries(Object.entries(values).map(([name, all]) => [name, median(all)])),
  runs: RUNS,
});

function add(times: Times, what: string, who: string, ms: number): void {
  // A long suite: what it has so far is not lost with it.
  console.error(`  ${what}: ${who} ${ms.toFixed(0)} ms`);
  const values = times.get(what) ?? {};
  values[who] = [...(values[who] ?? []), ms];
  times.set(what, values);
}

/** Runs a step, and looks how much memory the daemon ever had meanwhile. */
type Watch = (what: string, step: () => Promise<unknown>) => Promise<void>;

function memoryOf(engine: BenchEngine, gantry: TestDaemon, peak: Map<string, number>): Watch {
  return async (what, step) => {
    if (engine.host !== gantry.host) {
      await step();
      return;
    }
    // proc(5): 5 sets the high-water mark back to what is resident now.
    writeFileSync(`/proc/${gantry.pid}/clear_refs`, '5');
    await step();
    const kilobytes = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${gantry.pid}/status`, 'utf8'))?.[1];
    peak.set(what, Math.max(peak.get(what) ?? 0, Number(kilobytes) / 1024));
  };
}

async function lifeOf(
  { name, archive }: ImageFixture,
  { name: who, netns, docker }: BenchEngine,
  scratch: string,
  times: Times,
  watch: Watch,
): Promise<void> {
  const timed = async (what: string, ...args: string[]) => {
    // What was written and removed before is not to be paid for now.
    execFileSync('sync');
    await watch(what, async () => {
      const started = performance.now();
      await docker(...args);
      add(times, what, who, performance.now() - started);
    });
  };
  const local = `${name}:bench`;
  await timed('load', 'load', '-q', '-i', archive);
  const saved = join(scratch, 'saved.tar');
  await timed('save', 'save', '-o', saved, local);
  rmSync(saved);
  if (!hasDockerRegistry) {
    await docker('rmi', local);
    return;
  }
  await using registry = await DockerRegistry.start({ netns });
  const remote = `${registry.host}/${local}`;
  await docker('tag', local, remote);
  await timed('first push', 'push', '-q', remote);
  await docker('rmi', local, remote);
  await timed('cold pull', 'pull', '-q', remote);
  await timed('no-op pull', 'pull', '-q', remote);
  await docker('rmi', remote);
}

/** The same layers by tar, synced as the engines must. */
function byTar({ layers, packed }: ImageFixture, scratch: string, times: Times): void {
  for (const [what, files] of [
    ['load', layers],
    ['cold pull', packed],
  ] as const) {
    const out = join(scratch, 'out');
    mkdirSync(out);
    execFileSync('sync');
    const started = performance.now();
    for (const file of files) execFileSync('tar', ['-C', out, '-xf', file]);
    execFileSync('sync', ['-f', out]);
    add(times, what, 'tar', performance.now() - started);
    rmSync(out, { recursive: true });
  }
}
