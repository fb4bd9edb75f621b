import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { becomeMachine, TestNetworks } from '../test/support/network-hosts.ts';
import { type Row, render } from './measure.ts';

const execute = promisify(execFile);
const load = join(import.meta.dirname, 'dns-load.ts');

/** Answers a second for a local name, asked from within a container; the client shares the machine's cores. Memory of the server beside it. */
export async function dnsAnswers(seconds = 5): Promise<Row[]> {
  becomeMachine();
  await using networks = await TestNetworks.open({}, 'bench');
  await networks.create('net');
  await networks.container('target', { networks: ['net'] });
  const asker = await networks.container('asker', { networks: ['net'] });
  const memoryMb = () =>
    Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${companionPid(networks.directory)}/status`, 'utf8'))?.[1]) / 1024;
  const before = memoryMb();
  const { stdout } = await execute('nsenter', [
    `--net=${asker.netnsPath}`,
    process.execPath,
    load,
    'target',
    String(seconds),
    '8',
  ]);
  const { perSecond, answers, wrong } = JSON.parse(stdout) as { perSecond: number; answers: number; wrong: number };
  if (wrong > 0) throw new Error(`${wrong} wrong answers`);
  return [
    { suite: 'dns', what: 'answers for a local name', unit: '1/s', runs: 1, values: { gantry: perSecond } },
    { suite: 'dns', what: 'companion before', unit: 'MB', runs: 1, values: { gantry: before } },
    { suite: 'dns', what: `companion after ${answers} answers`, unit: 'MB', runs: 1, values: { gantry: memoryMb() } },
  ];
}

function companionPid(directory: string): number {
  const pids = readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').trim().split(' ');
  const found = pids.find((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(`${directory}/`));
  return Number(found);
}

if (import.meta.main) console.log(render(await dnsAnswers(Number(process.argv[2] ?? 5))));
