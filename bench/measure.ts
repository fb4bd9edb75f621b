import { performance } from 'node:perf_hooks';

/** Milliseconds of one run of each contender, taken in turns, so that what else the machine does meets all alike. */
export async function inTurns(
  runs: number,
  contenders: Record<string, () => Promise<void>>,
  warmUp = 2,
): Promise<Record<string, number[]>> {
  const times: Record<string, number[]> = {};
  for (let round = -warmUp; round < runs; round++)
    for (const [name, body] of Object.entries(contenders)) {
      const started = performance.now();
      await body();
      const ms = performance.now() - started;
      if (round >= 0) {
        times[name] ??= [];
        times[name].push(ms);
      }
    }
  return times;
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
