import { createHash } from 'node:crypto';
import { createReadStream, lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { pipeline } from 'node:stream/promises';

/** Read at once below this, streamed above: a long read must not stop the daemon. */
const SMALL_FILE = 256 * 1024;

export interface DigestOptions {
  /** The copy gets an owner of its own, so the source's does not count. */
  ownerCounts: boolean;
  /** Paths (relative to the source) that are not copied. */
  excluded?: (path: string) => boolean;
  /** SHA-256 (hex) of a file, where it is known. */
  digestOf?: (path: Buffer) => string | undefined;
  signal: AbortSignal;
}

/**
 * What a copy of this file or tree would be: types, modes, owners, link targets, contents, by name; not the times. Names are
 * byte strings, for they need not be UTF-8.
 */
export async function treeDigest(path: string, options: DigestOptions): Promise<string> {
  const hash = createHash('sha256');
  await add(Buffer.from(path), '', hash, options);
  return hash.digest('hex');
}

async function add(
  path: Buffer,
  relative: string,
  hash: ReturnType<typeof createHash>,
  options: DigestOptions,
): Promise<void> {
  options.signal.throwIfAborted();
  const stat = lstatSync(path);
  if (relative !== '' && options.excluded?.(Buffer.from(relative, 'latin1').toString()) === true && !stat.isDirectory())
    return;
  const owner = options.ownerCounts ? `${stat.uid}:${stat.gid}` : '';
  const entry = (content: string) => hash.update(`${JSON.stringify([relative, stat.mode, owner, content])}\n`);
  if (stat.isSymbolicLink()) entry(readlinkSync(path, { encoding: 'latin1' }));
  else if (stat.isFile()) entry(options.digestOf?.(path) ?? (await fileDigest(path, stat.size)));
  else if (!stat.isDirectory()) entry(String(stat.rdev));
  else {
    entry('');
    for (const name of readdirSync(path, { encoding: 'latin1' }).sort())
      await add(
        Buffer.concat([path, Buffer.from('/'), Buffer.from(name, 'latin1')]),
        relative === '' ? name : `${relative}/${name}`,
        hash,
        options,
      );
  }
}

async function fileDigest(path: Buffer, sizeBytes: number): Promise<string> {
  const hash = createHash('sha256');
  if (sizeBytes <= SMALL_FILE) hash.update(readFileSync(path));
  else await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}
