import { performance } from 'node:perf_hooks';

/**
 * Figures of each contender, taken in turns, so that what else the machine does meets all alike. Who begins changes from round to round:
 * the first may pay for what the round before left to be done.
 */
export async function figuresInTurns(
  runs: number,
  contenders: Record<string, () => Promise<number>>,
  warmUp: number,
): Promise<Record<string, number[]>> {
  const names = Object.keys(contenders);
  const figures: Record<string, number[]> = Object.fromEntries(names.map((name) => [name, []]));
  for (let round = 0; round < warmUp + runs; round++)
    for (const [at] of names.entries()) {
      const name = names[(at + round) % names.length]!;
      const figure = await contenders[name]!();
      if (round >= warmUp) figures[name]!.push(figure);
    }
  return figures;
}

/** Milliseconds of one run of each contender, taken in turns. */
export const inTurns = (
  runs: number,
  contenders: Record<string, () => Promise<void>>,
  warmUp = 2,
): Promise<Record<string, number[]>> =>
  figuresInTurns(
    runs,
    Object.fromEntries(Object.entries(contenders).map(([name, body]) => [name, () => millisecondsOf(body)])),
    warmUp,
  );

export async function millisecondsOf(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

export interface Row {
  suite: string;
  what: string;
  unit: 'ms' | 'MB/s' | 'MB' | '1/s' | 'times';
  /** By contender: gantry, dockerd, podman … */
  values: Record<string, number>;
  runs: number;
}

const figure = (value: number) => (value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2));

/** One line a row: the values, and how many times better Gantry is than each peer. */
export function render(rows: readonly Row[]): string {
  return rows
    .map((row) => {
      const own = row.values.gantry;
      const lessIsBetter = row.unit === 'ms' || row.unit === 'MB' || row.unit === 'times';
      const cells = Object.entries(row.values).map(([name, value]) => {
        const ratio =
          own === undefined || name === 'gantry' ? '' : ` (${(lessIsBetter ? value / own : own / value).toFixed(2)}x)`;
        return `${name} ${figure(value)}${ratio}`;
      });
      return `${`${row.suite}: ${row.what}`.padEnd(52)} ${row.unit.padEnd(5)} ${cells.join('   ')}`;
    })
    .join('\n');
}
