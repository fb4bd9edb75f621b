import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  createReadStream,
  createWriteStream,
  existsSync,
  mkdirSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { byteName, type TarItem, writeTar } from '../src/archive/index.ts';
import { debianTar, hasMmdebstrap, ownSuite } from '../test/support/debian.ts';

/** An image as a file for `docker load`, and its layers as plain and as gzip archives. */
export interface ImageFixture {
  name: string;
  archive: string;
  bytes: number;
  layers: string[];
  packed: string[];
}

const CACHE = resolve(import.meta.dirname, '../.cache/bench');
const LAYERS = 4;
const FILES_OF_LAYER = 12_500;
const BYTES_OF_FILE = 20_000;
const GZIP_LEVEL = '6';

/** The large image, and a Debian base where mmdebstrap is installed. */
export async function imageFixtures(): Promise<ImageFixture[]> {
  const debian = await debianFixture();
  return [...(debian === undefined ? [] : [debian]), await largeFixture()];
}

/** A generated image of about 1 GB with 50,000 files below /usr/share, in several layers. Made once. */
export async function largeFixture(): Promise<ImageFixture> {
  mkdirSync(CACHE, { recursive: true });
  return fixture(
    'large',
    Array.from({ length: LAYERS }, (_, at) => (path) => generated(path, at)),
  );
}

/** A minimal Debian, where mmdebstrap is installed. Made once. */
export async function debianFixture(): Promise<ImageFixture | undefined> {
  if (!hasMmdebstrap) return undefined;
  mkdirSync(CACHE, { recursive: true });
  return fixture('debian', [async (path) => copyFileSync(await debianTar(ownSuite()), path)]);
}

async function fixture(name: string, make: ((path: string) => Promise<void>)[]): Promise<ImageFixture> {
  const layers: string[] = [];
  for (const [at, layer] of make.entries()) {
    const path = join(CACHE, `${name}-${at}.tar`);
    if (!existsSync(path)) await made(path, layer);
    layers.push(path);
    if (!existsSync(`${path}.gz`)) execFileSync('gzip', ['-k', `-${GZIP_LEVEL}`, path]);
  }
  const archive = join(CACHE, `${name}.tar`);
  if (!existsSync(archive)) await made(archive, (path) => pack(name, layers, path));
  return { name, archive, bytes: statSync(archive).size, layers, packed: layers.map((path) => `${path}.gz`) };
}

/** Under its name only when whole. */
async function made(path: string, make: (path: string) => Promise<void>): Promise<void> {
  rmSync(`${path}.part`, { force: true });
  await make(`${path}.part`);
  renameSync(`${path}.part`, path);
}

/** Half of each file is noise and half of it text, as programs and their data are; the same at every run. */
async function generated(path: string, layer: number): Promise<void> {
  let state = BigInt(layer + 1);
  const next = () => {
    state = (state * 6364136223846793005n + 1442695040888963407n) & 0xffffffffffffffffn;
    return Number(state >> 33n);
  };
  const noise = Buffer.alloc(1 << 20);
  for (let at = 0; at < noise.length; at += 4) noise.writeUInt32LE(next() * 2, at);
  const text = Buffer.alloc(1 << 20, 'The quick brown fox jumps over the lazy dog, and then it does so again.\n');
  function* items(): Generator<TarItem> {
    for (let file = 0; file < FILES_OF_LAYER; file++) {
      const dir = `usr/share/l${layer}/d${Math.floor(file / 100)}`;
      if (file % 100 === 0) yield { header: { name: byteName(`${dir}/`), type: 'dir', mode: 0o755 } };
      const half = next() % BYTES_OF_FILE;
      const [a, b] = [next() % (noise.length - half), next() % (text.length - half)];
      const body = Buffer.concat([noise.subarray(a, a + half), text.subarray(b, b + half)]);
      yield { header: { name: byteName(`${dir}/f${file}`), mode: 0o644 }, body };
    }
  }
  await pipeline(writeTar(items()), createWriteStream(path));
}

async function digestOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
  return `sha256:${hash.digest('hex')}`;
}

async function pack(name: string, layers: readonly string[], path: string): Promise<void> {
  const diffIds: string[] = [];
  for (const layer of layers) diffIds.push(await digestOf(layer));
  const config = Buffer.from(
    JSON.stringify({
      architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
      os: 'linux',
      config: { Cmd: ['sh'] },
      created: '2024-01-01T00:00:00Z',
      history: diffIds.map(() => ({ created: '2024-01-01T00:00:00Z', created_by: 'bench' })),
      rootfs: { type: 'layers', diff_ids: diffIds },
    }),
  );
  const list = [
    { Config: 'config.json', RepoTags: [`${name}:bench`], Layers: layers.map((_, at) => `${at}/layer.tar`) },
  ];
  function* items(): Generator<TarItem> {
    yield { header: { name: byteName('config.json') }, body: config };
    for (const [at, layer] of layers.entries())
      yield {
        header: { name: byteName(`${at}/layer.tar`), size: statSync(layer).size },
        body: createReadStream(layer, { highWaterMark: 1 << 20 }) as Readable & AsyncIterable<Buffer>,
      };
    yield { header: { name: byteName('manifest.json') }, body: Buffer.from(JSON.stringify(list)) };
  }
  await pipeline(writeTar(items()), createWriteStream(path));
}
