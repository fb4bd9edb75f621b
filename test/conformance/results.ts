import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

/** What became of one scenario: the recorded output itself, one that differs on purpose, or another. */
export type Verdict = 'same' | 'on purpose' | 'differs';

const Result = z.object({
  scenario: z.string(),
  script: z.string(),
  client: z.enum(['docker', 'gantry']),
  verdict: z.enum(['same', 'on purpose', 'differs']),
});
export type Result = z.infer<typeof Result>;

/** Keeps a suite's results below `directory`, for the page of flags. */
export async function keepResults(directory: string, suite: string, results: readonly Result[]): Promise<void> {
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, `${suite}.json`), JSON.stringify(results));
}

export async function readResults(directory: string): Promise<Result[]> {
  const files = (await readdir(directory)).filter((name) => name.endsWith('.json')).sort();
  const lists = await Promise.all(
    files.map(async (name) => z.array(Result).parse(JSON.parse(await readFile(join(directory, name), 'utf8')))),
  );
  return lists.flat();
}

/** Flags of `run` and `create` in a script: what starts with dashes between the command and the image. */
export function flagsOf(script: string): string[] {
  const found = new Set<string>();
  for (const [, words = ''] of script.matchAll(/\$D (?:run|create|container run|container create) (.*?)\$IMG/g))
    for (const [, flag = ''] of words.matchAll(/(?:^|\s)(--?[a-z][a-z0-9-]*)/g)) found.add(flag);
  return [...found];
}

const worst = (results: readonly Result[]): string => {
  if (results.length === 0) return 'not run';
  const count = (verdict: Verdict) => results.filter((result) => result.verdict === verdict).length;
  const parts = [`${count('same')} as dockerd`];
  if (count('on purpose') > 0) parts.push(`${count('on purpose')} on purpose otherwise`);
  if (count('differs') > 0) parts.push(`**${count('differs')} otherwise**`);
  return parts.join(', ');
};

/** The page: a line a flag, with the number of scenarios that gave what dockerd gave. */
export function flagPage(results: readonly Result[]): string {
  const byFlag = new Map<string, Result[]>();
  for (const result of results)
    for (const flag of flagsOf(result.script)) byFlag.set(flag, [...(byFlag.get(flag) ?? []), result]);
  const rows = [...byFlag]
    .sort(([a], [b]) => a.replace(/^-+/, '').localeCompare(b.replace(/^-+/, '')))
    .map(([flag, list]) => {
      const of = (client: Result['client']) => worst(list.filter((result) => result.client === client));
      return `| \`${flag}\` | ${of('docker')} | ${of('gantry')} |`;
    });
  const total = (client: Result['client']) => worst(results.filter((result) => result.client === client));
  return `# Flags of run and create, compared

Made by \`npm run docs:flags\` from a run of the scenarios in \`test/conformance\`; not written by hand. Each number counts scenarios that use
the flag, and whose text and exit code were those recorded on dockerd. What is otherwise on purpose is explained in [compatibility.md](compatibility.md).

All scenarios: with Docker's CLI ${total('docker')}; with \`gantry\` ${total('gantry')}.

| flag | Docker's CLI | gantry |
|---|---|---|
${rows.join('\n')}
`;
}
