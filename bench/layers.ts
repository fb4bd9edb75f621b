import { execFileSync } from 'node:child_process';
import { createReadStream, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { silentLogger } from '../src/common/index.ts';
import { openLayerStore } from '../src/layers/index.ts';
import { openDatabase } from '../src/state/index.ts';
import { median } from './measure.ts';

/**
 * usage: bin/node bench/layers.ts [megabytes [files [runs]]]
 * Unpacking a layer of a generated tree against `tar x` and sync of the same archive, plain and gzip; the most memory the process
 * had, and how long its main thread was held up.
 */
const [megabytes = 200, files = 10_000, runs = 3] = process.argv.slice(2).map(Number);

/** Half text-like, half noise, so that it compresses about as an image does. */
function content(size: number, seed: number): Buffer {
  const bytes = Buffer.alloc(size);
  let state = seed >>> 0 || 1;
  for (let at = 0; at + 4 <= size; at += 4) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes.writeUInt32LE((at & 64) === 0 ? state : 0x20656874, at);
  }
  return bytes;
}

function makeTree(dir: string): void {
  const average = (megabytes * 1024 * 1024) / files;
  for (let index = 0; index < files; index++) {
    const below = join(dir, `d${index % 97}`, `e${index % 13}`);
    mkdirSync(below, { recursive: true });
    // Nine in ten are small, as in a distribution; the tenth makes up the size.
    const size = index % 10 === 0 ? average * 8 : (average * 2) / 9;
    writeFileSync(join(below, `file-${index}`), content(Math.floor(size), index + 1));
  }
}

const root = mkdtempSync(join(tmpdir(), 'gt-bench-'));
const db = openDatabase(join(root, 'state.db'));
try {
  makeTree(join(root, 'tree'));
  execFileSync('tar', ['-C', join(root, 'tree'), '-cf', join(root, 'layer.tar'), '.']);
  execFileSync('sh', ['-c', `gzip -1 -k '${join(root, 'layer.tar')}'`]);
  const store = await openLayerStore({ dir: join(root, 'layers'), execRoot: join(root, 'run'), db, log: silentLogger });
  const delay = monitorEventLoopDelay({ resolution: 5 });
  let peak = 0;
  const watch = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage.rss());
  }, 20);
  for (const name of ['layer.tar', 'layer.tar.gz']) {
    const archive = join(root, name);
    const times: Record<'gantry' | 'tar', number[]> = { gantry: [], tar: [] };
    delay.reset();
    // Removing is not timed, and synced away: where the disk is told of free blocks it takes longer than the unpacking.
    for (let run = 0; run < runs; run++) {
      execFileSync('sync');
      delay.enable();
      let started = performance.now();
      const source = async () => createReadStream(archive, { highWaterMark: 256 * 1024 });
      const lease = store.lease();
      const { chainId } = await store.unpack(source, lease, {});
      lease.end();
      times.gantry.push(performance.now() - started);
      delay.disable();
      await store.remove(chainId);
      const out = join(root, 'out');
      mkdirSync(out);
      execFileSync('sync');
      started = performance.now();
      execFileSync('sh', ['-c', `tar -C '${out}' -xf '${archive}' && sync -f '${out}'`]);
      times.tar.push(performance.now() - started);
      rmSync(out, { recursive: true });
    }
    const line = Object.entries(times).map(([what, values]) => `${what} ${median(values).toFixed(0)} ms`);
    const held = `main thread held up ${(delay.percentile(99.9) / 1e6).toFixed(0)} ms (99.9 %)`;
    console.log(`${name} (${(statSync(archive).size / 2 ** 20).toFixed(0)} MB): ${line.join(', ')}; ${held}`);
  }
  clearInterval(watch);
  console.log(`most memory: ${(peak / 2 ** 20).toFixed(0)} MB`);
} finally {
  db.close();
  rmSync(root, { recursive: true });
}
