import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { busyboxTar, execute, TestDaemon } from '../test/support/index.ts';

/** One engine to measure, driven by the same Docker CLI. */
export interface BenchEngine {
  name: string;
  host: string;
  /** Path of the network namespace that it lives in, where that is not ours. */
  netns?: string;
  docker(...args: string[]): Promise<string>;
}

/** Docker's command line against the engine at `host`; a failure throws. */
export const cli =
  (host: string) =>
  async (...args: string[]): Promise<string> => {
    const outcome = await execute('docker', args, {
      env: { DOCKER_HOST: host, DOCKER_BUILDKIT: '0' },
      timeoutMs: 600_000,
    });
    if (outcome.code !== 0) throw new Error(`${host}: docker ${args.join(' ')}: ${outcome.stderr}`);
    return outcome.stdout.trim();
  };

const onPath = (name: string) => (process.env.PATH ?? '').split(delimiter).some((dir) => existsSync(join(dir, name)));

/**
 * The engines of this run: a gantryd of its own, and each peer that answers at a socket given in BENCH_PEERS
 * (`dockerd=unix:///path,podman=unix:///path`); without it, dockerd at the default socket where there is one. BENCH_NETNS
 * (`dockerd=/run/netns/name`) says which of them live in a network namespace of their own.
 */
export async function engines(): Promise<{ list: BenchEngine[]; gantry: TestDaemon }> {
  if (!onPath('docker'))
    throw new Error("the benchmarks drive every engine with Docker's command line, which is not on this machine");
  const gantry = await TestDaemon.start();
  const list: BenchEngine[] = [{ name: 'gantry', host: gantry.host, docker: cli(gantry.host) }];
  const given =
    process.env.BENCH_PEERS ?? (existsSync('/var/run/docker.sock') ? 'dockerd=unix:///var/run/docker.sock' : '');
  const namespaces = new Map(
    (process.env.BENCH_NETNS ?? '')
      .split(',')
      .filter((text) => text !== '')
      .map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]),
  );
  for (const pair of given.split(',').filter((text) => text !== '')) {
    const cut = pair.indexOf('=');
    const host = pair.slice(cut + 1);
    const name = pair.slice(0, cut);
    const netns = namespaces.get(name);
    const peer = { name, host, docker: cli(host), ...(netns === undefined ? {} : { netns }) };
    await execute('docker', ['import', '-c', 'CMD ["sh"]', '-', 'busybox:latest'], {
      input: await busyboxTar(),
      env: { DOCKER_HOST: host },
    });
    list.push(peer);
  }
  return { list, gantry };
}
