import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { TestDaemon } from '../support/index.ts';
import { checkLeaks, checkStates } from './checks.ts';
import { KINDS } from './model.ts';
import { generatorFor } from './plan.ts';
import { type Subject, work } from './worker.ts';

/**
 * Kills the daemon with SIGKILL at random moments while clients create, start, stop, exec, pause, restart and remove containers; after each
 * restart every container must be in a state that what was answered before allows, nothing may leak, no restart policy be forgotten and no
 * log have a hole. The seed fixes what each client asks for in which round and when the daemon dies.
 *
 * usage: npm run test:chaos [-- rounds [seed [first round]]]
 */
const rounds = Number(process.argv[2] ?? 200);
const seed = Number(process.argv[3] ?? Date.now() % 2 ** 31);
const first = Number(process.argv[4] ?? 1);

const faulty = new Set<number>();
const faultOf = (round: number) => (text: string) => {
  faulty.add(round);
  console.log(`FAULT round ${round}: ${text}`);
};

console.log(`chaos: ${rounds} rounds, seed ${seed}`);
const daemon = await TestDaemon.start();
const leaked = new Set<string>();
const last = first + rounds - 1;
try {
  const subjects = KINDS.map((kind): Subject => ({ kind, states: new Set(['absent']), pending: undefined }));
  for (let round = first; round <= last; round++) {
    const fault = faultOf(round);
    const workers = subjects.map((subject, index) =>
      work(daemon, subject, generatorFor(seed, round, index + 1), fault),
    );
    await sleep(20 + generatorFor(seed, round, 0)() * 700);
    await daemon.crash();
    await Promise.all(workers);
    await daemon.launch();
    await checkStates(daemon, subjects, fault);
    await checkLeaks(daemon, leaked, fault);
    if (round % 20 === 0) console.log(`round ${round}, ${faulty.size} faulty`);
  }
} finally {
  const log = readFileSync(daemon.logFile, 'utf8');
  for (const line of new Set(
    log
      .split('\n')
      .filter((text) => / level=(warn|error) /.test(text))
      .map((text) => text.replace(/^time=\S+ /, '')),
  ))
    console.log(line.slice(0, 300));
  await daemon[Symbol.asyncDispose]().catch((error: Error) => faultOf(last)(error.message));
}
console.log(`${rounds - faulty.size} passed, ${faulty.size} failed`);
process.exit(faulty.size > 0 ? 1 : 0);
