import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { becomeMachine, TestNetworks } from '../test/support/network-hosts.ts';
import { type Row, render } from './measure.ts';

const execute = promisify(execFile);
const load = join(import.meta.dirname, 'dns-load.ts');
const MILLION = 1_000_000;
const TICKS_A_SECOND = 100;

/** The suite of `npm run bench`: in a process of its own, which becomes a machine of its own. */
export async function dns(): Promise<Row[]> {
  const { stdout } = await execute(process.execPath, [import.meta.filename, '--json']);
  return JSON.parse(stdout) as Row[];
}

/**
 * What the name server costs: answers a second for a local name, asked from within a container by a client that shares the machine's cores;
 * its processor time for each answer, which the machine's load does not change; its memory before and after a million answers.
 */
async function measure(): Promise<Row[]> {
  becomeMachine();
  await using networks = await TestNetworks.open({}, 'bench');
  await networks.create('net');
  await networks.container('target', { networks: ['net'] });
  const asker = await networks.container('asker', { networks: ['net'] });
  const pid = companionPid(networks.directory);
  const memoryMb = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
  const cpuMs = () => {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
    return ((Number(fields[11]) + Number(fields[12])) / TICKS_A_SECOND) * 1000;
  };
  const ask = async (seconds: number, answers: number) => {
    const command = [
      `--net=${asker.netnsPath}`,
      process.execPath,
      load,
      'target',
      String(seconds),
      '8',
      String(answers),
    ];
    const { stdout } = await execute('nsenter', command);
    const result = JSON.parse(stdout) as { perSecond: number; answers: number; wrong: number };
    if (result.wrong > 0) throw new Error(`${result.wrong} wrong answers`);
    return result;
  };
  // The first hundred thousand warm the engine up, as a companion that serves is.
  await ask(60, MILLION / 10);
  const [memory, cpu] = [memoryMb(), cpuMs()];
  const { perSecond, answers } = await ask(300, MILLION);
  const row = (what: string, unit: Row['unit'], gantry: number): Row => ({
    suite: 'dns',
    what,
    unit,
    runs: 1,
    values: { gantry },
  });
  return [
    row('answers for a local name', '1/s', perSecond),
    row('processor time for a thousand answers', 'ms', ((cpuMs() - cpu) / answers) * 1000),
    row('memory before', 'MB', memory),
    row(`memory after ${answers} answers more`, 'MB', memoryMb()),
  ];
}

function companionPid(directory: string): number {
  const pids = readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').trim().split(' ');
  const found = pids.find((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(`${directory}/`));
  return Number(found);
}

if (import.meta.main) {
  const rows = await measure();
  console.log(process.argv.includes('--json') ? JSON.stringify(rows) : render(rows));
}
