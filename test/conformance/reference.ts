import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { busyboxTar, execute } from '../support/index.ts';
import { copies } from './copies.ts';
import { lifecycle } from './lifecycle.ts';
import { networks } from './networks.ts';
import { objects } from './objects.ts';
import { options } from './options.ts';
import { play, type Recorded } from './scenario.ts';
import { volumes } from './volumes.ts';
import { playWire, wire } from './wire.ts';

/**
 * Records what the reference dockerd does.
 *
 * usage: reference.ts unix:///path/of/docker.sock [suite …]
 */
const suites = { options, lifecycle, objects, networks, copies, volumes };
const [host, ...chosen] = process.argv.slice(2);
if (host === undefined) throw new Error('usage: reference.ts HOST [suite …]');

const work = await mkdtemp(join(process.env.WORK ?? tmpdir(), 'ref-'));
await execute('docker', ['import', '-c', 'CMD ["sh"]', '-', 'conformance:latest'], {
  input: await busyboxTar(),
  env: { DOCKER_HOST: host },
});
for (const [suite, list] of Object.entries(suites)) {
  if (chosen.length > 0 && !chosen.includes(suite)) continue;
  const recorded: Recorded[] = [];
  for (const scenario of list)
    recorded.push({
      name: scenario.name,
      output: await play(scenario, { cli: 'docker', host, image: 'conformance', work }),
    });
  await save(suite, recorded);
}
if (chosen.length === 0 || chosen.includes('wire')) {
  const recorded: Recorded[] = [];
  for (const scenario of wire)
    recorded.push({ name: scenario.name, output: await playWire(scenario, { host, image: 'conformance' }) });
  await save('wire', recorded);
}
await rm(work, { recursive: true, force: true });

async function save(suite: string, recorded: Recorded[]): Promise<void> {
  await writeFile(join(import.meta.dirname, 'recorded', `${suite}.json`), `${JSON.stringify(recorded, null, 1)}\n`);
  console.log(`${suite}: ${recorded.length} recorded`);
}
