import type { FileHandle } from 'node:fs/promises';
import { recordHead } from './lines.ts';

const STEP_BYTES = 64 * 1024;
/** How far the beginning of a line is looked for that the other stream's lines are mixed with. */
const MIXED_BYTES = 1024 * 1024;

/**
 * Where to begin to read so that the last `count` lines of the first `size` bytes are whole, found from the end; more than `count` may follow.
 * `lines` is how many lines do, at least, or fewer than `count` if the file has no more.
 */
export async function tailOffset(
  file: FileHandle,
  size: number,
  count: number,
): Promise<{ offset: number; lines: number }> {
  /** Streams that have lines after the place looked at, and whether one was seen to end there or before. */
  const begun = new Map<1 | 2, boolean>();
  let lines = 0;
  let enough: number | undefined;
  let rest: Buffer = Buffer.alloc(0);
  let position = size;
  while (position > 0) {
    const length = Math.min(STEP_BYTES, position);
    position -= length;
    const chunk = Buffer.allocUnsafe(length);
    await readFully(file, chunk, position);
    const data = rest.length === 0 ? chunk : Buffer.concat([chunk, rest]);
    // `end` is a newline: the one that ends the record looked at.
    let end = data.lastIndexOf(10);
    while (end > 0) {
      const before = data.lastIndexOf(10, end - 1);
      if (before < 0 && position > 0) break;
      const head = recordHead(data, before + 1, end);
      if (head?.full === true) {
        const here = position + end + 1;
        if (lines >= count) {
          enough ??= here;
          begun.set(head.stream, true);
          if ([...begun.values()].every((whole) => whole)) return { offset: here, lines };
        } else {
          lines++;
          begun.set(head.stream, false);
        }
      }
      if (enough !== undefined && enough - (position + end) > MIXED_BYTES) return { offset: enough, lines };
      end = before;
    }
    rest = end < 0 && position > 0 ? data : data.subarray(0, end + 1);
  }
  return { offset: 0, lines };
}

async function readFully(file: FileHandle, target: Buffer, position: number): Promise<void> {
  for (let done = 0; done < target.length; ) {
    const { bytesRead } = await file.read(target, done, target.length - done, position + done);
    // The file was cut short under the reader: what is missing reads as nothing.
    if (bytesRead === 0) {
      target.fill(10, done);
      return;
    }
    done += bytesRead;
  }
}
