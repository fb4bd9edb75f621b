import { existsSync } from 'node:fs';
import { TestDaemon } from '../support/index.ts';

/**
 * Kills the daemon with SIGKILL at random moments while clients create, start, stop, exec, pause, restart and remove containers; after each
 * restart the state must be consistent: nothing leaks, no restart policy is forgotten, no container is in a state that its processes deny.
 *
 * usage: npm run test:chaos [-- rounds [seed]]
 */
const rounds = Number(process.argv[2] ?? 200);
const seed = Number(process.argv[3] ?? Date.now() % 2 ** 31);

/** Mulberry32: small, seedable. */
function generator(start: number): () => number {
  let state = start;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const random = generator(seed);
const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** What a client may be told while all this goes on; anything else is a fault. */
const EXPECTED = new Set([0, 200, 201, 204, 304, 404, 409]);

interface Row {
  Id: string;
  State: string;
  Names: string[];
}

const faults: string[] = [];
const fault = (round: number, text: string) => {
  faults.push(`round ${round}: ${text}`);
  console.log(`FAULT round ${round}: ${text}`);
};

async function worker(daemon: TestDaemon, name: string, round: number, stopped: () => boolean): Promise<void> {
  const policy = name.endsWith('0') ? { Name: 'always' } : { Name: '' };
  while (!stopped()) {
    const action = pick([
      'create',
      'start',
      'start',
      'stop',
      'kill',
      'exec',
      'pause',
      'unpause',
      'restart',
      'rm',
    ] as const);
    const calls: Record<typeof action, () => Promise<{ status: number; text: string }>> = {
      create: () =>
        daemon.api('POST', `/containers/create?name=${name}`, {
          Image: 'busybox',
          Cmd: ['sleep', '1000'],
          StopSignal: 'SIGKILL',
          Volumes: { '/data': {} },
          HostConfig: { RestartPolicy: policy },
        }),
      start: () => daemon.api('POST', `/containers/${name}/start`),
      stop: () => daemon.api('POST', `/containers/${name}/stop?t=1`),
      kill: () => daemon.api('POST', `/containers/${name}/kill`),
      exec: async () => {
        const made = await daemon.api('POST', `/containers/${name}/exec`, { Cmd: ['true'], AttachStdout: true });
        return made.status === 201
          ? daemon.api('POST', `/exec/${(made.json as { Id: string }).Id}/start`, { Detach: true })
          : made;
      },
      pause: () => daemon.api('POST', `/containers/${name}/pause`),
      unpause: () => daemon.api('POST', `/containers/${name}/unpause`),
      restart: () => daemon.api('POST', `/containers/${name}/restart?t=0`),
      rm: () => daemon.api('DELETE', `/containers/${name}?force=1&v=1`),
    };
    // A refused or broken connection is the crash itself.
    const answer = await calls[action]().catch(() => ({ status: 0, text: '' }));
    if (!EXPECTED.has(answer.status))
      fault(round, `${action} ${name} answered ${answer.status}: ${answer.text.trim()}`);
    if (answer.status === 0) await sleep(20);
  }
}

/** Each container's told state against the kernel's word, and the policies against the states. */
async function inspectAll(daemon: TestDaemon, round: number): Promise<void> {
  const list = (await daemon.api('GET', '/containers/json?all=1')).json as Row[];
  for (const row of list) {
    const name = row.Names[0] ?? row.Id;
    const { status, json } = await daemon.api('GET', `/containers/${row.Id}/json`);
    if (status !== 200) {
      fault(round, `inspect ${name} answered ${status}`);
      continue;
    }
    const state = json.State as { Status: string; Running: boolean; Pid: number };
    const alive = state.Pid > 0 && existsSync(`/proc/${state.Pid}`);
    if (state.Running !== alive)
      fault(round, `${name} is ${state.Status} with pid ${state.Pid}, which is ${alive ? 'alive' : 'gone'}`);
  }
}

console.log(`chaos: ${rounds} rounds, seed ${seed}`);
const daemon = await TestDaemon.start();
try {
  for (let round = 1; round <= rounds; round++) {
    let over = false;
    const workers = Array.from({ length: 4 }, (_, index) => worker(daemon, `chaos-${index}`, round, () => over));
    await sleep(50 + random() * 700);
    await daemon.crash();
    over = true;
    await Promise.all(workers);
    await daemon.launch();
    await sleep(300);
    await inspectAll(daemon, round);
    if (round % 20 === 0) console.log(`${round} rounds, ${faults.length} faults`);
  }
  const list = (await daemon.api('GET', '/containers/json?all=1')).json as Row[];
  for (const { Id } of list) await daemon.api('DELETE', `/containers/${Id}?force=1&v=1`);
  const volumes = (await daemon.api('GET', '/volumes')).json as { Volumes: { Name: string }[] };
  if (volumes.Volumes.length > 0) fault(rounds, `${volumes.Volumes.length} anonymous volumes are left`);
} finally {
  await daemon[Symbol.asyncDispose]().catch((error: Error) => fault(rounds, error.message));
}
console.log(`${rounds - new Set(faults.map((text) => text.split(':')[0])).size} passed, ${faults.length} failed`);
process.exit(faults.length > 0 ? 1 : 0);
