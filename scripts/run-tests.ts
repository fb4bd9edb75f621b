import { globSync } from 'node:fs';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';

/**
 * Runs the unit and end-to-end tests, a process a file, three at a time: they wait as much as they compute. A file that fails is run again,
 * alone, at most twice: on a small machine, other tests beside it may have taken what it needed. What passed only then is named at the end,
 * so that it can be mended; what fails then too fails.
 *
 * usage: run-tests.ts [unit|e2e|all] [part of a file name …]
 */
const [kind = 'all', ...names] = process.argv.slice(2);
const patterns: Record<string, string[]> = {
  unit: ['src/**/*.test.ts', 'test/chaos/*.test.ts'],
  e2e: ['test/e2e/**/*.test.ts'],
  all: ['src/**/*.test.ts', 'test/{chaos,conformance}/*.test.ts', 'test/e2e/**/*.test.ts'],
};
const chosen = patterns[kind];
if (chosen === undefined) throw new Error(`unknown kind of tests: ${kind}`);
// Long ones first, so that none is left to run alone at the end.
const files = globSync(chosen)
  .filter((file) => names.length === 0 || names.some((name) => file.includes(name)))
  .sort(
    (a, b) =>
      Number(b.includes('conformance')) - Number(a.includes('conformance')) ||
      Number(b.startsWith('test/')) - Number(a.startsWith('test/')) ||
      a.localeCompare(b),
  );
if (files.length === 0) throw new Error('no test file matches');

interface Outcome {
  passed: number;
  failed: number;
  skipped: number;
  /** The reporter's text. */
  text: string;
  seconds: number;
}

async function runFile(file: string): Promise<Outcome> {
  const started = Date.now();
  const outcome: Outcome = { passed: 0, failed: 0, skipped: 0, text: '', seconds: 0 };
  const stream = run({ files: [file], concurrency: 1, isolation: 'process', timeout: 900_000 });
  stream.on('test:pass', (data) => {
    if (data.skip !== undefined && data.skip !== false) outcome.skipped++;
    else if (data.details.type !== 'suite') outcome.passed++;
  });
  stream.on('test:fail', (data) => {
    if (data.details.type !== 'suite' || data.details.error.message !== undefined) outcome.failed++;
  });
  for await (const chunk of stream.compose(new spec())) outcome.text += chunk;
  outcome.seconds = Math.round((Date.now() - started) / 1000);
  return outcome;
}

const started = Date.now();
const outcomes = new Map<string, Outcome>();
const queue = [...files];
await Promise.all(
  [1, 2, 3].map(async () => {
    for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
      const outcome = await runFile(file);
      outcomes.set(file, outcome);
      console.log(
        `${outcome.failed === 0 ? 'ok  ' : 'FAIL'} ${file} (${outcome.passed} passed, ${outcome.failed} failed, ${outcome.skipped} skipped, ${outcome.seconds} s)`,
      );
      if (outcome.failed > 0) console.log(outcome.text);
    }
  }),
);

const flaky: string[] = [];
const failed: string[] = [];
for (const file of files.filter((name) => (outcomes.get(name)?.failed ?? 0) > 0)) {
  console.log(`\nagain, alone: ${file}`);
  let outcome = await runFile(file);
  if (outcome.failed > 0) outcome = await runFile(file);
  outcomes.set(file, outcome);
  if (outcome.failed === 0) flaky.push(file);
  else {
    failed.push(file);
    console.log(outcome.text);
  }
}

const list = (title: string, of: string[]) =>
  of.length > 0 && console.log(`\n${title}:\n${of.map((file) => `  ${file}`).join('\n')}`);
list('passed only when run alone', flaky);
list('failed', failed);
const sum = (key: 'passed' | 'failed' | 'skipped') =>
  [...outcomes.values()].reduce((total, outcome) => total + outcome[key], 0);
console.log(`\n${files.length} files, ${Math.round((Date.now() - started) / 1000)} s`);
console.log(`${sum('passed')} passed, ${sum('failed')} failed, ${sum('skipped')} skipped`);
process.exit(failed.length > 0 || sum('passed') === 0 ? 1 : 0);
