import { detectCompression } from './compression.ts';
import { BLOCK, isZeroBlock, parseHeader } from './header.ts';

/** True if a stream that begins so is a tar, plain or compressed. Needs the first 512 bytes. */
export function looksLikeArchive(head: Buffer): boolean {
  if (head.length >= 10 && detectCompression(head) !== 'none') return true;
  if (head.length < BLOCK) return false;
  const block = head.subarray(0, BLOCK);
  // An empty archive is zero blocks alone.
  if (isZeroBlock(block)) return true;
  try {
    // The header's checksum tells; the oldest archives have no other mark.
    parseHeader(block);
    return true;
  } catch {
    return false;
  }
}
