import { createHash } from 'node:crypto';
import { constants, createReadStream, renameSync } from 'node:fs';
import { open, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { conflict, invalid, isErrno, type Lease, Leases, notFound } from '../common/index.ts';
import { FileIngest } from './ingest.ts';
import { type Layout, openLayout, parseDigest, passingName, replaceFile, resumableName } from './layout.ts';
import type { ContentStore, Ingest } from './types.ts';

const DEFAULT_READ_LIMIT = 4 * 1024 * 1024;
/** Big enough that a gigabyte is a few thousand reads. */
const STREAM_CHUNK = 256 * 1024;

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}

async function* listBlobs(layout: Layout): AsyncGenerator<{ digest: string; size: number }> {
  for (const algorithm of await readdir(layout.blobs))
    for (const hex of await readdir(join(layout.blobs, algorithm))) {
      const size = await sizeOf(join(layout.blobs, algorithm, hex));
      if (size !== undefined) yield { digest: `${algorithm}:${hex}`, size };
    }
}

/** Opens the store at `dir`, making it if need be, and removes what broken ingests left behind. */
export async function openContentStore(dir: string): Promise<ContentStore> {
  const layout = await openLayout(dir);
  const leases = new Leases();
  const busy = new Set<string>();

  const path = (digest: string): string => {
    const { algorithm, hex } = parseDigest(digest);
    return join(layout.blobs, algorithm, hex);
  };
  const size = (digest: string): Promise<number | undefined> => sizeOf(path(digest));

  const openBlob = async (digest: string, range: { start?: number } = {}): Promise<Readable> => {
    const file = path(digest);
    try {
      const handle = await open(file, constants.O_RDONLY);
      return createReadStream(file, { fd: handle, start: range.start ?? 0, highWaterMark: STREAM_CHUNK });
    } catch (error) {
      if (isErrno(error, 'ENOENT')) throw notFound(`content ${digest}: not found`);
      throw error;
    }
  };

  const read = async (digest: string, maxBytes = DEFAULT_READ_LIMIT): Promise<Buffer> => {
    const found = await size(digest);
    if (found === undefined) throw notFound(`content ${digest}: not found`);
    if (found > maxBytes) throw invalid(`content ${digest} has ${found} bytes, more than the ${maxBytes} allowed here`);
    const bytes = await readFile(path(digest));
    const { algorithm, hex } = parseDigest(digest);
    if (createHash(algorithm).update(bytes).digest('hex') !== hex) throw invalid(`content ${digest} is damaged`);
    return bytes;
  };

  const ingest = async (lease: Lease, options: { ref?: string } = {}): Promise<Ingest> => {
    const name = options.ref === undefined ? passingName() : resumableName(options.ref);
    if (busy.has(name)) throw conflict(`content for ${options.ref} is already arriving`);
    busy.add(name);
    try {
      return await FileIngest.open(join(layout.ingests, name), {
        keep: options.ref !== undefined,
        lease,
        blobPath: path,
        onEnd: () => busy.delete(name),
      });
    } catch (error) {
      busy.delete(name);
      throw error;
    }
  };

  const remove = async (digest: string): Promise<boolean> => {
    if (leases.hold(digest)) return false;
    const aside = join(layout.ingests, passingName());
    try {
      renameSync(path(digest), aside);
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return true;
      throw error;
    }
    await rm(aside);
    return true;
  };

  return {
    path,
    size,
    has: async (digest) => (await size(digest)) !== undefined,
    open: openBlob,
    read,
    ingest,
    put: async (bytes, lease, expected) => {
      const one = await ingest(lease);
      try {
        await one.write(bytes);
        return await one.commit(expected);
      } finally {
        await one.close();
      }
    },
    delete: remove,
    list: () => listBlobs(layout),
    lease: () => leases.open(),
    writeIndex: (entries) =>
      replaceFile(
        join(layout.dir, 'index.json'),
        join(layout.ingests, passingName()),
        Buffer.from(
          JSON.stringify({
            schemaVersion: 2,
            mediaType: 'application/vnd.oci.image.index.v1+json',
            manifests: entries,
          }),
        ),
      ),
  };
}
