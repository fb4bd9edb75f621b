import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { busyboxTar, hasDockerCli, TestDaemon } from '../support/index.ts';
import { keepResults, type Result } from './results.ts';
import { play, type Recorded, type Scenario } from './scenario.ts';

/** Where Gantry answers otherwise on purpose: scenario → why. Each is explained in docs/compatibility.md. */
export type Differences = Record<string, { why: string; output: RegExp; client?: 'docker' | 'gantry' }>;

/** What the reference dockerd showed. */
export const recordedOf = async (suite: string): Promise<Recorded[]> =>
  JSON.parse(await readFile(join(import.meta.dirname, 'recorded', `${suite}.json`), 'utf8')) as Recorded[];

/** A daemon with the image of the scenarios. */
export async function startWithImage(): Promise<TestDaemon> {
  const daemon = await TestDaemon.start({ busybox: false });
  const answer = await daemon.api(
    'POST',
    '/images/create?fromSrc=-&repo=conformance&tag=latest&changes=CMD%20%5B%22sh%22%5D',
    await busyboxTar(),
    { 'content-type': 'application/x-tar' },
  );
  assert.equal(answer.status, 200, answer.text);
  return daemon;
}

/**
 * Registers one test a scenario and client: what gantryd shows must equal what the reference dockerd showed. `ownClient`: scenarios
 * where much of the work is the command line's, which gantry always plays too.
 */
export function conformance(
  suite: string,
  list: readonly Scenario[],
  differences: Differences = {},
  ownClient: readonly string[] = [],
): void {
  for (const name of [...Object.keys(differences), ...ownClient])
    if (!list.some((scenario) => scenario.name === name)) throw new Error(`no scenario ${name} in ${suite}`);
  const docker = ['docker', 'docker'] as const;
  const gantry = ['gantry', resolve(import.meta.dirname, '../../bin/gantry')] as const;
  // Both take twice the time: `npm run test:conformance` does.
  const all = process.env.CONFORMANCE_CLIENTS === 'all';
  const clientsOf = ({ name }: Scenario) => {
    if (!hasDockerCli) return [gantry];
    return all || ownClient.includes(name) ? [docker, gantry] : [docker];
  };
  describe(`${suite} as the reference dockerd`, { concurrency: 3 }, () => {
    let daemon: TestDaemon;
    let work: string;
    const expected = new Map<string, string>();
    const results: Result[] = [];
    before(async () => {
      for (const { name, output } of await recordedOf(suite)) expected.set(name, output);
      work = await mkdtemp(join(tmpdir(), 'gt-cf-'));
      daemon = await startWithImage();
    });
    after(async () => {
      const kept = process.env.CONFORMANCE_RESULTS;
      if (kept !== undefined) await keepResults(kept, suite, results);
      await daemon[Symbol.asyncDispose]();
      await rm(work, { recursive: true, force: true });
    });
    for (const scenario of list)
      for (const [client, cli] of clientsOf(scenario))
        it(`${scenario.name} (${client})`, async () => {
          const output = await play(scenario, { cli, host: daemon.host, image: 'conformance', work });
          const named = differences[scenario.name];
          const difference = (named?.client ?? client) === client ? named : undefined;
          const same = output === expected.get(scenario.name);
          const meant = difference?.output.test(output) === true;
          const verdict = same ? 'same' : meant ? 'on purpose' : 'differs';
          results.push({ scenario: scenario.name, script: scenario.script, client, verdict });
          if (difference === undefined) assert.equal(output, expected.get(scenario.name), scenario.script);
          else assert.match(output, difference.output);
        });
  });
}
