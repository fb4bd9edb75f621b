import { createHash, randomBytes } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { invalid, isErrno } from '../common/index.ts';

/** Where things are in an OCI image layout (image-spec 1.1, image-layout.md). `ingest/` is ours; readers ignore it. */
export interface Layout {
  dir: string;
  blobs: string;
  ingests: string;
}

const ALGORITHMS = { sha256: 64, sha512: 128 } as const;
export type Algorithm = keyof typeof ALGORITHMS;
/** How long a broken-off ingest that can be resumed is kept. */
const RESUMABLE_MS = 24 * 3600 * 1000;

/** The file name of a resumable ingest; a ref may hold any text. */
export const resumableName = (ref: string): string => `ref-${createHash('sha256').update(ref).digest('hex')}`;
export const passingName = (): string => `tmp-${randomBytes(12).toString('hex')}`;

/** Splits and checks a digest, so that it can be part of a path. Throws invalid. */
export function parseDigest(digest: string): { algorithm: Algorithm; hex: string } {
  const match = /^(sha256|sha512):([0-9a-f]+)$/.exec(digest);
  const algorithm = match?.[1] as Algorithm | undefined;
  const hex = match?.[2] ?? '';
  if (algorithm === undefined || hex.length !== ALGORITHMS[algorithm])
    throw invalid(`invalid digest ${JSON.stringify(digest)}`);
  return { algorithm, hex };
}

/** Makes a rename in this directory durable. */
export async function syncDirectory(dir: string): Promise<void> {
  const handle = await open(dir, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Replaces a file so that a crash leaves the old or the new one, never a part. */
export async function replaceFile(path: string, temporary: string, bytes: Uint8Array): Promise<void> {
  await writeFile(temporary, bytes, { flush: true, mode: 0o644 });
  await rename(temporary, path);
  await syncDirectory(dirname(path));
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return false;
    throw error;
  }
}

/** Makes the layout if it is not there, refuses one of another version, and removes what dead ingests left. */
export async function openLayout(dir: string): Promise<Layout> {
  const layout: Layout = { dir, blobs: join(dir, 'blobs'), ingests: join(dir, 'ingest') };
  await mkdir(layout.ingests, { recursive: true, mode: 0o700 });
  for (const algorithm of Object.keys(ALGORITHMS)) await mkdir(join(layout.blobs, algorithm), { recursive: true });
  await cleanIngests(layout);
  const marker = join(dir, 'oci-layout');
  if (await exists(marker)) {
    const { imageLayoutVersion: version } = JSON.parse(await readFile(marker, 'utf8')) as Record<string, unknown>;
    if (version !== '1.0.0') throw invalid(`${dir} is an image layout of unknown version ${JSON.stringify(version)}`);
  }
  const index = join(dir, 'index.json');
  if (!(await exists(index)))
    await replaceFile(
      index,
      join(layout.ingests, passingName()),
      Buffer.from(
        JSON.stringify({ schemaVersion: 2, mediaType: 'application/vnd.oci.image.index.v1+json', manifests: [] }),
      ),
    );
  if (!(await exists(marker)))
    await replaceFile(marker, join(layout.ingests, passingName()), Buffer.from('{"imageLayoutVersion":"1.0.0"}'));
  return layout;
}

async function cleanIngests(layout: Layout): Promise<void> {
  for (const name of await readdir(layout.ingests)) {
    const path = join(layout.ingests, name);
    const resumable = name.startsWith('ref-') && Date.now() - (await stat(path)).mtimeMs < RESUMABLE_MS;
    if (!resumable) await rm(path, { recursive: true, force: true });
  }
}
