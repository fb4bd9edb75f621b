import { invalid } from '../common/index.ts';
import type { Extent } from '../sys/index.ts';
import { BLOCK } from './header.ts';
import { parseDecimal, readNumber } from './numbers.ts';
import type { PaxRecord } from './pax.ts';

/** GNU's four sparse formats (GNU tar manual, "Storing Sparse Files"): which parts of the file the stored bytes are. */
export interface SparseMap {
  extents: Extent[];
  /** Logical size of the file. */
  size: number;
}

const MAX_EXTENTS = 1_000_000;

/** Extents must be in order, apart, inside the file, and add up to what is stored. */
export function checkSparse(map: SparseMap, storedBytes: number): SparseMap {
  let end = 0;
  let total = 0;
  for (const { offset, length } of map.extents) {
    if (offset < end || offset + length > map.size || !Number.isSafeInteger(offset + length))
      throw invalid('archive is damaged: a sparse map is out of order');
    end = offset + length;
    total += length;
  }
  if (total !== storedBytes) throw invalid('archive is damaged: a sparse map does not match the data');
  return { size: map.size, extents: map.extents.filter(({ length }) => length > 0) };
}

/** Old GNU format: pairs of numbers in the header (four) or an extension block (21). Returns whether another block follows. */
export function readOldSparse(block: Buffer, extension: boolean, extents: Extent[]): boolean {
  const [start, count, more] = extension ? [0, 21, 504] : [386, 4, 482];
  for (let index = 0; index < count; index++) {
    const at = start + index * 24;
    if (block[at] === 0) break;
    extents.push({ offset: readNumber(block, at, 12), length: readNumber(block, at + 12, 12) });
  }
  if (extents.length > MAX_EXTENTS) throw invalid('archive is damaged: a sparse map is too long');
  return block[more] !== 0 && block[more] !== 0x30;
}

export const oldSparseSize = (block: Buffer): number => readNumber(block, 483, 12);

/** Formats 0.0 and 0.1: the map is in PAX records. */
export function paxSparse(records: readonly PaxRecord[]): Extent[] {
  const numbers: number[] = [];
  for (const [key, value] of records) {
    if (key === 'GNU.sparse.map') numbers.push(...(value === '' ? [] : value.split(',').map(parseDecimal)));
    else if (key === 'GNU.sparse.offset' || key === 'GNU.sparse.numbytes') numbers.push(parseDecimal(value));
  }
  return pairs(numbers);
}

function pairs(numbers: readonly number[]): Extent[] {
  if (numbers.length % 2 !== 0) throw invalid('archive is damaged: a sparse map is incomplete');
  const extents: Extent[] = [];
  for (let at = 0; at < numbers.length; at += 2) extents.push({ offset: numbers[at]!, length: numbers[at + 1]! });
  return extents;
}

/** Format 1.0: the map leads the data, as decimal lines (a count, then pairs), padded to a block. */
export class SparseMapReader {
  readonly #numbers: number[] = [];
  #rest = '';

  /** Takes one block; returns the extents once the map is whole. */
  push(block: Buffer): Extent[] | undefined {
    const lines = (this.#rest + block.toString('latin1', 0, BLOCK)).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) {
      this.#numbers.push(parseDecimal(line));
      const [count = 0] = this.#numbers;
      if (count > MAX_EXTENTS) throw invalid('archive is damaged: a sparse map is too long');
      if (this.#numbers.length === 1 + 2 * count) return pairs(this.#numbers.slice(1));
    }
    return undefined;
  }
}

/** The map of format 1.0 as it leads the data. GNU tar takes the file's size from the last extent, so a closing hole needs an empty one. */
export function encodeSparseMap(data: readonly Extent[], size: number): Buffer {
  const last = data.at(-1);
  const whole = last !== undefined && last.offset + last.length === size;
  const extents = whole ? data : [...data, { offset: size, length: 0 }];
  const text = `${extents.length}\n${extents.map(({ offset, length }) => `${offset}\n${length}\n`).join('')}`;
  const bytes = Buffer.alloc(Math.ceil(text.length / BLOCK) * BLOCK);
  bytes.write(text, 'latin1');
  return bytes;
}
