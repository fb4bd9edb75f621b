import { promisify } from 'node:util';
import { constants, crc32, deflateRaw } from 'node:zlib';

const deflate = promisify(deflateRaw);

/** pigz's idea, and near its block: big enough that what the seams cost is nothing. */
const BLOCK = 512 * 1024;
/** How far back deflate looks. */
const WINDOW = 32 * 1024;
/** More than the thread pool of Node has, so that it never waits. */
const AT_ONCE = 6;
/** RFC 1952: deflate, no name, no time, unknown system; so the same input gives the same bytes. */
const HEADER = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff]);
/** The last block, empty. */
const END = Buffer.from([3, 0]);

/**
 * One gzip stream, made by all processors: blocks are deflated side by side, each with the end of the one before it as dictionary,
 * and put one after the other.
 */
export async function* gzip(
  source: AsyncIterable<Uint8Array>,
  { level }: { level: number },
): AsyncGenerator<Buffer, void, undefined> {
  const running: { packed: Promise<Buffer>; block: Buffer }[] = [];
  /** Memory of blocks that are done, for the next ones: new memory costs more than what is done with it. */
  const free: Buffer[] = [];
  let before: Buffer | undefined;
  let sum = 0;
  let size = 0;
  try {
    yield HEADER;
    for await (const block of blocks(source, () => free.pop() ?? Buffer.allocUnsafe(BLOCK))) {
      sum = crc32(block, sum);
      size += block.length;
      const packed = deflate(block, {
        level,
        chunkSize: BLOCK,
        finishFlush: constants.Z_SYNC_FLUSH,
        ...(before === undefined ? {} : { dictionary: before }),
      });
      // Looked at in its turn; the source may fail first.
      packed.catch(() => {});
      running.push({ packed, block });
      before = block.subarray(-WINDOW);
      if (running.length < AT_ONCE) continue;
      const first = running.shift()!;
      yield await first.packed;
      // The next block has begun, and with it a copy of the dictionary was made.
      free.push(first.block);
    }
    for (const { packed } of running) yield await packed;
    const trailer = Buffer.alloc(8);
    trailer.writeUInt32LE(sum, 0);
    trailer.writeUInt32LE(size % 2 ** 32, 4);
    yield Buffer.concat([END, trailer]);
  } finally {
    await Promise.allSettled(running.map(({ packed }) => packed));
  }
}

/** The same bytes in blocks of one size; only the last is smaller. */
async function* blocks(source: AsyncIterable<Uint8Array>, room: () => Buffer): AsyncGenerator<Buffer> {
  let block = room();
  let filled = 0;
  for await (const chunk of source)
    for (let at = 0; at < chunk.length; ) {
      const taken = Math.min(chunk.length - at, BLOCK - filled);
      block.set(chunk.subarray(at, at + taken), filled);
      at += taken;
      filled += taken;
      if (filled < BLOCK) continue;
      yield block;
      block = room();
      filled = 0;
    }
  if (filled > 0) yield block.subarray(0, filled);
}
