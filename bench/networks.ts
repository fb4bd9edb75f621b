import { execFile, spawn } from 'node:child_process';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import type { BenchEngine } from './engines.ts';
import { median, type Row } from './measure.ts';

const execute = promisify(execFile);
const here = import.meta.dirname;
const ROUNDS = 3;
const SHORT = { count: 800, clients: 8 };
const BIG_MB = 256;
const FIRST_BYTE_RUNS = 7;
const FIRST_BYTE_PORT = '18467';
const DNS_SECONDS = 3;

const SERVER = `mkdir /www; echo hello >/www/small; truncate -s ${BIG_MB}M /www/big; exec httpd -f -p 80 -h /www`;

/** Where an engine's machine is: BENCH_NETNS=`dockerd=/run/netns/peer` names the namespace of a peer that has its own. */
function machineOf(engine: BenchEngine): string {
  const pairs = (process.env.BENCH_NETNS ?? '').split(',').map((pair) => pair.split('='));
  return pairs.find(([name]) => name === engine.name)?.[1] ?? '/proc/self/ns/net';
}

/** Runs a load program in a network namespace. */
async function loadIn(netns: string, program: string, ...args: string[]): Promise<Record<string, number>> {
  const { stdout } = await execute('nsenter', [`--net=${netns}`, process.execPath, join(here, program), ...args]);
  return JSON.parse(stdout) as Record<string, number>;
}

interface Scene {
  /** By what a client calls: namespace it calls from, address, port. */
  ways: Record<string, { from: string; address: string; port: string }>;
  remove: () => Promise<void>;
  asker: string;
}

/** A server with a published port on a network of its own, a neighbour of it, and a stranger on the default bridge. */
async function setScene(engine: BenchEngine): Promise<Scene> {
  const { docker } = engine;
  await docker('network', 'create', 'bench-net');
  const run = (name: string, ...args: string[]) => docker('run', '-d', '--name', name, ...args);
  await run('bench-server', '--network', 'bench-net', '-p', '80', 'busybox', 'sh', '-c', SERVER);
  await run('bench-neighbour', '--network', 'bench-net', 'busybox', 'sleep', '3600');
  await run('bench-stranger', 'busybox', 'sleep', '3600');
  const inspect = (name: string, format: string) => docker('inspect', '-f', format, name);
  const netnsOf = async (name: string) => `/proc/${await inspect(name, '{{.State.Pid}}')}/ns/net`;
  const port = await inspect('bench-server', '{{(index (index .NetworkSettings.Ports "80/tcp") 0).HostPort}}');
  const own = await inspect('bench-server', '{{(index .NetworkSettings.Networks "bench-net").IPAddress}}');
  const host = await inspect('bench-stranger', '{{(index .NetworkSettings.Networks "bridge").Gateway}}');
  const neighbour = await netnsOf('bench-neighbour');
  return {
    ways: {
      'loopback, published': { from: machineOf(engine), address: '127.0.0.1', port },
      "host's address, published": { from: machineOf(engine), address: host, port },
      'another namespace, published': { from: await netnsOf('bench-stranger'), address: host, port },
      'container to container': { from: neighbour, address: own, port: '80' },
    },
    asker: neighbour,
    remove: async () => {
      await docker('rm', '-f', 'bench-server', 'bench-neighbour', 'bench-stranger');
      await docker('network', 'rm', 'bench-net');
    },
  };
}

/** Milliseconds from `run` until a published port gave its first byte. */
async function firstByte(engine: BenchEngine): Promise<number> {
  const program = join(here, 'first-byte.ts');
  const args = [`--net=${machineOf(engine)}`, process.execPath, program, '127.0.0.1', FIRST_BYTE_PORT, '/small'];
  const client = spawn('nsenter', args, { stdio: ['ignore', 'pipe', 'inherit'], timeout: 60_000 });
  try {
    const words = createInterface({ input: client.stdout })[Symbol.asyncIterator]();
    const hear = async (word: string) => {
      const { value } = await words.next();
      if (value !== word) throw new Error(`${engine.name}: nothing was served`);
    };
    await hear('ready');
    const started = performance.now();
    const [id] = await Promise.all([
      engine.docker('run', '-d', '-p', `${FIRST_BYTE_PORT}:80`, 'busybox', 'sh', '-c', SERVER),
      hear('served'),
    ]);
    const elapsed = performance.now() - started;
    await engine.docker('rm', '-f', id);
    return elapsed;
  } finally {
    client.kill();
  }
}

/** What packets and names cost: published ports, container to container, DNS, and how soon a container serves. */
export async function networks(engines: BenchEngine[]): Promise<Row[]> {
  const scenes = new Map<BenchEngine, Scene>();
  const results = new Map<string, { unit: Row['unit']; values: Record<string, number[]> }>();
  const add = (what: string, unit: Row['unit'], engine: BenchEngine, value: number) => {
    const entry = results.get(what) ?? { unit, values: {} };
    results.set(what, entry);
    entry.values[engine.name] ??= [];
    entry.values[engine.name]!.push(value);
  };
  try {
    for (const engine of engines) scenes.set(engine, await setScene(engine));
    for (let round = 0; round < ROUNDS; round++)
      for (const [engine, scene] of scenes) {
        for (const [way, { from, address, port }] of Object.entries(scene.ways)) {
          const load = (path: string, count: number, clients: number) =>
            loadIn(from, 'network-load.ts', address, port, path, String(count), String(clients));
          add(
            `${way}: short connections`,
            '1/s',
            engine,
            (await load('/small', SHORT.count, SHORT.clients)).perSecond!,
          );
          add(`${way}: one long`, 'MB/s', engine, (await load('/big', 1, 1)).mbPerSecond!);
        }
        const names = await loadIn(scene.asker, 'dns-load.ts', 'bench-server', String(DNS_SECONDS), '8');
        if (names.wrong! > 0) throw new Error(`${engine.name}: ${names.wrong} wrong answers`);
        add('DNS answers for a local name', '1/s', engine, names.perSecond!);
      }
  } finally {
    for (const scene of scenes.values()) await scene.remove();
  }
  const rows: Row[] = [...results].map(([what, { unit, values }]) => ({
    suite: 'networks',
    what,
    unit,
    runs: ROUNDS,
    values: Object.fromEntries(Object.entries(values).map(([name, list]) => [name, median(list)])),
  }));
  const times: Record<string, number[]> = Object.fromEntries(engines.map((engine) => [engine.name, []]));
  for (let round = -1; round < FIRST_BYTE_RUNS; round++)
    for (const engine of engines) {
      const ms = await firstByte(engine);
      if (round >= 0) times[engine.name]!.push(ms);
    }
  rows.push({
    suite: 'networks',
    what: 'run until the first byte',
    unit: 'ms',
    runs: FIRST_BYTE_RUNS,
    values: Object.fromEntries(Object.entries(times).map(([name, list]) => [name, median(list)])),
  });
  return rows;
}
