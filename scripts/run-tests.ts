import { globSync } from 'node:fs';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';

/**
 * Runs the unit and end-to-end tests, a process a file. A file that fails is run once more, alone: on a small machine, other tests beside
 * it may have taken what it needed. What passed only then is named at the end, so that it can be mended; what fails twice fails.
 *
 * usage: run-tests.ts [unit|e2e|all] [part of a file name …]
 */
const [kind = 'all', ...names] = process.argv.slice(2);
const patterns: Record<string, string[]> = {
  unit: ['src/**/*.test.ts'],
  e2e: ['test/e2e/**/*.test.ts'],
  all: ['src/**/*.test.ts', 'test/e2e/**/*.test.ts'],
};
const chosen = patterns[kind];
if (chosen === undefined) throw new Error(`unknown kind of tests: ${kind}`);
const files = globSync(chosen)
  .filter((file) => names.length === 0 || names.some((name) => file.includes(name)))
  .sort((a, b) => Number(b.startsWith('test/')) - Number(a.startsWith('test/')) || a.localeCompare(b));
if (files.length === 0) throw new Error('no test file matches');

interface Tally {
  passed: number;
  failed: number;
  skipped: number;
}

async function runFiles(list: string[], concurrency: number): Promise<Map<string, Tally>> {
  const tallies = new Map<string, Tally>();
  const stream = run({ files: list, concurrency, isolation: 'process', timeout: 300_000 });
  const count = (file: string | undefined, key: keyof Tally) => {
    const name = list.find((candidate) => file?.endsWith(candidate)) ?? file ?? '?';
    const tally = tallies.get(name) ?? { passed: 0, failed: 0, skipped: 0 };
    tally[key]++;
    tallies.set(name, tally);
  };
  stream.on('test:pass', (data) => {
    if (data.skip !== undefined && data.skip !== false) count(data.file, 'skipped');
    else if (data.details.type !== 'suite') count(data.file, 'passed');
  });
  stream.on('test:fail', (data) => count(data.file ?? data.name, 'failed'));
  stream.compose(new spec()).pipe(process.stdout, { end: false });
  await new Promise((resolve) => stream.on('end', resolve).on('close', resolve));
  return tallies;
}

const failing = (tallies: Map<string, Tally>) =>
  [...tallies].filter(([, tally]) => tally.failed > 0).map(([file]) => file);

const started = Date.now();
const tallies = await runFiles(files, 2);
const first = failing(tallies);
let second: string[] = [];
if (first.length > 0 && first.length <= 12) {
  console.log(
    `\n${first.length} files failed and are run again, alone:\n${first.map((file) => `  ${file}`).join('\n')}\n`,
  );
  const again = await runFiles(first, 1);
  for (const [file, tally] of again) tallies.set(file, tally);
  second = failing(again);
} else second = first;

const flaky = first.filter((file) => !second.includes(file));
if (flaky.length > 0) console.log(`\npassed only when run alone:\n${flaky.map((file) => `  ${file}`).join('\n')}`);
if (second.length > 0) console.log(`\nfailed:\n${second.map((file) => `  ${file}`).join('\n')}`);
const total = [...tallies.values()].reduce(
  (sum, tally) => ({
    passed: sum.passed + tally.passed,
    failed: sum.failed + tally.failed,
    skipped: sum.skipped + tally.skipped,
  }),
  { passed: 0, failed: 0, skipped: 0 },
);
console.log(`\n${files.length} files, ${Math.round((Date.now() - started) / 1000)} s`);
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exit(second.length > 0 || total.passed === 0 ? 1 : 0);
