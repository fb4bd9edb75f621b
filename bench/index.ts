import { writeFile } from 'node:fs/promises';
import { builds } from './builds.ts';
import { cli } from './cli.ts';
import { containers } from './containers.ts';
import { dns } from './dns.ts';
import { engines } from './engines.ts';
import { images } from './images.ts';
import { load } from './load.ts';
import { type Row, render } from './measure.ts';
import { networks } from './networks.ts';
import { volumes } from './volumes.ts';

/**
 * usage: npm run bench [-- suite …]
 * Prints a table (medians, and how many times better Gantry is than each peer) and writes bench-results.json.
 */
const suites = { builds, cli, containers, dns, images, load, networks, volumes };

const chosen = process.argv.slice(2);
const unknown = chosen.find((name) => !Object.hasOwn(suites, name));
if (unknown !== undefined) throw new Error(`no suite ${unknown}; there are: ${Object.keys(suites).join(', ')}`);
const { list, gantry } = await engines();
const rows: Row[] = [];
try {
  for (const [name, suite] of Object.entries(suites)) {
    if (chosen.length > 0 && !chosen.includes(name)) continue;
    const result = await suite(list, gantry);
    rows.push(...result);
    console.log(render(result));
  }
} finally {
  await gantry[Symbol.asyncDispose]();
}
await writeFile('bench-results.json', `${JSON.stringify(rows, null, 1)}\n`);
