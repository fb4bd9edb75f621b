import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { openInstance } from '../../src/daemon/instance.ts';
import { eventually, type TestDaemon } from '../support/index.ts';
import { afterCrash, type Kind, told } from './model.ts';
import type { Subject } from './worker.ts';

interface Told {
  Id: string;
  State: { Status: string; Running: boolean; Pid: number; StartedAt: string };
}

/** Each container's told state against the model and the kernel's word. Sets the subject's states to what is told. */
export async function checkStates(
  daemon: TestDaemon,
  subjects: readonly Subject[],
  fault: (text: string) => void,
): Promise<void> {
  for (const subject of subjects) {
    const { kind } = subject;
    const allowed = afterCrash(kind, subject.states, subject.pending);
    let shown = 'nothing';
    const state = await eventually(
      `${kind.name} settles`,
      async () => {
        const { status, json } = await daemon.api('GET', `/containers/${kind.name}/json`);
        const container = status === 200 ? (json as Told) : undefined;
        shown = container === undefined ? `inspect ${status}` : JSON.stringify(container.State);
        const now = status === 404 ? 'absent' : told(kind, container?.State.Status ?? '');
        const honest = kind.shortLived || container === undefined || container.State.Running === alive(container);
        return now !== undefined && allowed.has(now) && honest ? now : undefined;
      },
      5000,
    ).catch(() => undefined);
    if (state === undefined)
      fault(
        `${kind.name}, ${[...subject.states].join(' or ')} with ${subject.pending ?? 'nothing'} under way, must be ${[...allowed].join(' or ')} and is ${shown}`,
      );
    // What it is now is where the next round begins, whether it was right or not.
    subject.states = new Set([state ?? (await stateNow(daemon, kind))]);
    subject.pending = undefined;
    if (state === 'up') await checkLog(daemon, kind, fault);
    if (state === 'flapping') await checkFlapping(daemon, kind, fault);
  }
}

const alive = ({ State: { Pid } }: Told) => Pid > 0 && existsSync(`/proc/${Pid}`);

async function stateNow(daemon: TestDaemon, kind: Kind) {
  const { status, json } = await daemon.api('GET', `/containers/${kind.name}/json`);
  return status === 404 ? 'absent' : (told(kind, (json as Told).State.Status) ?? 'up');
}

/** The counters go up by one or begin anew: no hole, no double line. */
async function checkLog(daemon: TestDaemon, kind: Kind, fault: (text: string) => void): Promise<void> {
  const { text } = await daemon.api('GET', `/containers/${kind.name}/logs?stdout=1`);
  // Each frame is 8 bytes of header and a line; a header may hold a newline byte, digits are what counts.
  const numbers = [...text.matchAll(/(\d+)\n/g)].map(([, digits]) => Number(digits));
  for (const [index, number] of numbers.entries())
    if (number !== 0 && number !== (numbers[index - 1] ?? -1) + 1) {
      fault(`log of ${kind.name} goes from ${numbers[index - 1]} to ${number}`);
      return;
    }
}

/** The policy still brings it back. */
async function checkFlapping(daemon: TestDaemon, kind: Kind, fault: (text: string) => void): Promise<void> {
  const startedAt = async () =>
    ((await daemon.api('GET', `/containers/${kind.name}/json`)).json as Told).State.StartedAt;
  const before = await startedAt();
  await eventually('another start', async () => ((await startedAt()) === before ? undefined : true), 10_000).catch(() =>
    fault(`the restart policy of ${kind.name} is forgotten: last start ${before}`),
  );
}

/** What the kernel and the disk hold must be what the containers account for. What leaked before, `known`, is told once. */
export async function checkLeaks(daemon: TestDaemon, known: Set<string>, fault: (text: string) => void): Promise<void> {
  let wrong: string[] = [];
  await eventually(
    'nothing leaked',
    async () => {
      wrong = (await leftovers(daemon)).filter((text) => !known.has(text));
      return wrong.length === 0 ? true : undefined;
    },
    5000,
  ).catch(() => {
    for (const text of wrong) fault(text);
    for (const text of wrong) known.add(text);
  });
}

async function leftovers(daemon: TestDaemon): Promise<string[]> {
  const list = (await daemon.api('GET', '/containers/json?all=1')).json as { Id: string; State: string }[];
  const known = new Set(list.map(({ Id }) => Id));
  const running = new Set(list.filter(({ State }) => /running|paused|restarting/.test(State)).map(({ Id }) => Id));
  const wrong: string[] = [];
  const idIn = (text: string) => /[0-9a-f]{64}/.exec(text)?.[0];
  for (const line of readFileSync('/proc/self/mountinfo', 'utf8').split('\n')) {
    const where = line.split(' ')[4] ?? '';
    const id = where.startsWith(`${daemon.root}/`) ? idIn(where) : undefined;
    if (id !== undefined && !running.has(id)) wrong.push(`mount ${where} of a container that does not run`);
  }
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    const command = readIfThere(`/proc/${pid}/cmdline`).replaceAll('\0', ' ');
    const id = command.includes(`${daemon.root}/run`) ? idIn(command) : undefined;
    if (id !== undefined && !running.has(id))
      wrong.push(`process ${pid} of a container that does not run: ${command.slice(0, 100)}`);
  }
  const { suffix } = openInstance(daemon.dataRoot);
  const grouped = new Set<string>();
  for (const dir of ['', ...readdirSync('/sys/fs/cgroup')])
    for (const name of namesIn(`/sys/fs/cgroup/${dir}/gantry-${suffix}`)) grouped.add(idIn(name) ?? '');
  for (const id of grouped)
    if (id !== '' && !running.has(id)) wrong.push(`cgroup ${id} of a container that does not run`);
  const ports = namesIn(`/sys/class/net/gt-${suffix}/brif`).length;
  if (ports > running.size) wrong.push(`${ports} interfaces of ${running.size} running containers`);
  for (const name of namesIn(`${daemon.execRoot}/b`)) if (!running.has(name)) wrong.push(`bundle ${name}`);
  for (const name of namesIn(`${daemon.dataRoot}/containers`)) if (!known.has(name)) wrong.push(`directory of ${name}`);
  const volumes = (await daemon.api('GET', '/volumes')).json as { Volumes: { Name: string }[] };
  if (volumes.Volumes.length !== known.size)
    wrong.push(`${volumes.Volumes.length} volumes of ${known.size} containers`);
  return wrong;
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
