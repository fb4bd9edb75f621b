import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { BenchEngine } from './engines.ts';
import { inTurns, median, type Row } from './measure.ts';

const execute = promisify(execFile);
const here = import.meta.dirname;
const ROUNDS = 3;
const SHORT = { count: 800, clients: 8 };
const BIG_MB = 256;
const FIRST_BYTE_RUNS = 7;
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
async function firstByte(engine: BenchEngine): Promise<void> {
  const id = await engine.docker('run', '-d', '-p', '80', 'busybox', 'sh', '-c', SERVER);
  const [, port = ''] = (await engine.docker('port', id, '80')).split('\n')[0]!.split(':');
  const end = performance.now() + 30_000;
  for (;;) {
    try {
      await loadIn(machineOf(engine), 'network-load.ts', '127.0.0.1', port, '/small', '1', '1');
      break;
    } catch (error) {
      if (performance.now() > end) throw error;
      await sleep(5);
    }
  }
  await engine.docker('rm', '-f', id);
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
  const times = await inTurns(
    FIRST_BYTE_RUNS,
    Object.fromEntries(engines.map((engine) => [engine.name, () => firstByte(engine)])),
  );
  rows.push({
    suite: 'networks',
    what: 'run, first byte, rm',
    unit: 'ms',
    runs: FIRST_BYTE_RUNS,
    values: Object.fromEntries(Object.entries(times).map(([name, list]) => [name, median(list)])),
  });
  return rows;
}
