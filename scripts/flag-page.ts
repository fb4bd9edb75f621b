import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { flagPage, readResults } from '../test/conformance/results.ts';

/** Runs all scenarios with both clients and writes docs/flags.md from what came out. Fails, with the page written, if a scenario failed. */
const directory = mkdtempSync(join(tmpdir(), 'gt-flags-'));
try {
  const env = { ...process.env, CONFORMANCE_CLIENTS: 'all', CONFORMANCE_RESULTS: directory };
  let failed = false;
  try {
    execFileSync(process.execPath, ['scripts/run-tests.ts', 'e2e', 'e2e/conformance-'], { env, stdio: 'inherit' });
  } catch {
    failed = true;
  }
  writeFileSync('docs/flags.md', flagPage(await readResults(directory)));
  process.exitCode = failed ? 1 : 0;
} finally {
  rmSync(directory, { recursive: true, force: true });
}
