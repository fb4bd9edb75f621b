import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkError, checksText, warningsText } from './checks.ts';

const source = 'FROM a\nMAINTAINER x\nRUN y \\\n  z\n';
const warning = (start: number, end: number) => ({
  rule: 'Rule',
  description: '',
  url: 'https://x/',
  detail: 'words',
  start,
  end,
});
const report = (...warnings: ReturnType<typeof warning>[]) => ({ filename: 'Dockerfile', source, warnings });

test('a warning is shown with its place, as buildx shows it', () => {
  assert.equal(
    checksText(report(warning(2, 2))),
    `Check complete, 1 warning has been found!

WARNING: Rule - https://x/
words
Dockerfile:2
--------------------
   1 |     FROM a
   2 | >>> MAINTAINER x
   3 |     RUN y \\
   4 |       z
--------------------
`,
  );
  const several = checksText(report(warning(3, 4)));
  assert.match(several, / 2 \| {5}MAINTAINER x\n {3}3 \| >>> RUN y \\\n {3}4 \| >>> {3}z\n {3}5 \| {5}\n-/);
  assert.equal(checksText(report()), 'Check complete, no warnings found.\n');
});

test('a file that would not build is told with the line', () => {
  const failed = { ...report(), error: { message: 'wrong on line 1', line: 1 } };
  assert.equal(checksText(failed), '');
  assert.match(checkError(failed) ?? '', /^wrong on line 1\nDockerfile:1\n-+\n {3}1 \| >>> FROM a\n/);
  assert.equal(checkError(report()), undefined);
});

test('after a build each warning is a line', () => {
  assert.equal(
    warningsText(report(warning(2, 2), warning(3, 4)), false),
    '\n 2 warnings found (use --check to expand):\n - Rule: words (line 2)\n - Rule: words (line 3)\n',
  );
  assert.equal(warningsText(report(), true), '');
});
