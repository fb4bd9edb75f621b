import { invalid } from '../common/index.ts';
import type { Extent } from '../sys/index.ts';
import { entryHeader, storedSize } from './entry-header.ts';
import { BLOCK, isZeroBlock, parseHeader, type RawHeader } from './header.ts';
import { type PaxRecord, parsePax } from './pax.ts';
import { checkSparse, oldSparseSize, paxSparse, readOldSparse, type SparseMap, SparseMapReader } from './sparse.ts';
import type { TarHeader } from './types.ts';

/** What a parser tells: an entry, its data in order, its end. `offset` is where in the file the bytes belong; what is left out is a hole. */
export interface TarSink {
  entry(header: TarHeader): void;
  data(chunk: Buffer, offset: number): void;
  end(): void;
}

/** Extended headers larger than this are refused, as Go's archive/tar does. */
const MAX_EXTENSION = 1024 * 1024;

type State =
  | { at: 'header' }
  | { at: 'extension'; type: string; left: number; pad: number; parts: Buffer[] }
  | { at: 'old-sparse'; raw: RawHeader; header: TarHeader; extents: Extent[]; stored: number }
  | { at: 'sparse-map'; header: TarHeader; reader: SparseMapReader; left: number; pad: number }
  | { at: 'data'; left: number; pad: number; offset: number; sparse: SparseMap | undefined; extent: number }
  | { at: 'padding'; left: number }
  | { at: 'ended' };

const padOf = (size: number): number => (BLOCK - (size % BLOCK)) % BLOCK;

/**
 * Takes an archive in chunks of any size and drives a sink, synchronously. Data is handed on without copying. After the closing
 * zero blocks everything is ignored. Throws invalid for a damaged archive.
 */
export class TarParser {
  readonly #sink: TarSink;
  readonly #block = Buffer.alloc(BLOCK);
  #filled = 0;
  #state: State = { at: 'header' };
  #zeroBlocks = 0;
  #globals: PaxRecord[] = [];
  #pax: PaxRecord[] = [];
  #longName: string | undefined;
  #longLink: string | undefined;

  constructor(sink: TarSink) {
    this.#sink = sink;
  }

  push(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length) {
      const state = this.#state;
      switch (state.at) {
        case 'header':
        case 'old-sparse':
        case 'sparse-map': {
          const block = this.#takeBlock(chunk, at);
          at += block.taken;
          if (block.whole !== undefined) this.#onBlock(block.whole);
          break;
        }
        case 'extension': {
          const take = Math.min(state.left, chunk.length - at);
          state.parts.push(Buffer.from(chunk.subarray(at, at + take)));
          state.left -= take;
          at += take;
          if (state.left === 0) this.#onExtension(state);
          break;
        }
        case 'data': {
          const take = Math.min(state.left, chunk.length - at);
          this.#onData(state, chunk.subarray(at, at + take));
          at += take;
          break;
        }
        case 'padding': {
          const take = Math.min(state.left, chunk.length - at);
          state.left -= take;
          at += take;
          if (state.left === 0) this.#state = { at: 'header' };
          break;
        }
        case 'ended':
          return;
      }
    }
  }

  /**
   * To be called when the source has ended. An archive may lack its closing blocks and, as those that Docker's command line puts a
   * Dockerfile into, what fills up its last block; but no byte of an entry.
   */
  finish(): void {
    const state = this.#state;
    const whole = state.at === 'header' ? this.#filled === 0 : state.at === 'padding' && state.left < BLOCK;
    const between = whole && this.#pax.length === 0;
    const bare = this.#longName === undefined && this.#longLink === undefined;
    if (this.#state.at !== 'ended' && !(between && bare)) throw invalid('archive is damaged: unexpected end');
  }

  #takeBlock(chunk: Buffer, at: number): { taken: number; whole: Buffer | undefined } {
    if (this.#filled === 0 && chunk.length - at >= BLOCK)
      return { taken: BLOCK, whole: chunk.subarray(at, at + BLOCK) };
    const taken = chunk.copy(this.#block, this.#filled, at, Math.min(chunk.length, at + BLOCK - this.#filled));
    this.#filled += taken;
    if (this.#filled < BLOCK) return { taken, whole: undefined };
    this.#filled = 0;
    return { taken, whole: this.#block };
  }

  #onBlock(block: Buffer): void {
    const state = this.#state;
    if (state.at === 'old-sparse') {
      if (!readOldSparse(block, true, state.extents))
        this.#startSparse(state.header, { extents: state.extents, size: state.header.size }, state.stored);
    } else if (state.at === 'sparse-map') {
      state.left -= BLOCK;
      if (state.left < 0) throw invalid('archive is damaged: a sparse map is incomplete');
      const extents = state.reader.push(block);
      if (extents !== undefined) this.#startSparse(state.header, { extents, size: state.header.size }, state.left);
    } else this.#onHeader(block);
  }

  #onHeader(block: Buffer): void {
    if (isZeroBlock(block)) {
      if (++this.#zeroBlocks === 2) this.#state = { at: 'ended' };
      return;
    }
    if (this.#zeroBlocks > 0) throw invalid('archive is damaged: a lone zero block amid the entries');
    const raw = parseHeader(block);
    switch (raw.type) {
      case 'x':
      case 'X':
      case 'g':
      case 'L':
      case 'K':
        if (raw.size > MAX_EXTENSION) throw invalid('archive is damaged: an extended header is too large');
        this.#state = { at: 'extension', type: raw.type, left: raw.size, pad: padOf(raw.size), parts: [] };
        if (raw.size === 0) this.#onExtension(this.#state);
        return;
      case 'V': // a volume's label
        this.#skip(raw.size + padOf(raw.size));
        return;
      case 'M':
        throw invalid('archive is one part of several: multi-volume archives are not supported');
      default:
        this.#onEntry(raw);
    }
  }

  #onExtension(state: { type: string; pad: number; parts: Buffer[] }): void {
    const bytes = Buffer.concat(state.parts);
    const text = () => bytes.toString('latin1', 0, bytes.indexOf(0) < 0 ? bytes.length : bytes.indexOf(0));
    if (state.type === 'L') this.#longName = text();
    else if (state.type === 'K') this.#longLink = text();
    else if (state.type === 'g') this.#globals = [...new Map([...this.#globals, ...parsePax(bytes)])];
    else this.#pax = parsePax(bytes);
    this.#skip(state.pad);
  }

  #onEntry(raw: RawHeader): void {
    const records = this.#globals.length === 0 ? this.#pax : [...this.#globals, ...this.#pax];
    const extensions = { pax: records, longName: this.#longName, longLink: this.#longLink };
    const header = entryHeader(raw, extensions);
    const stored = storedSize(raw, header, extensions);
    this.#pax = [];
    this.#longName = undefined;
    this.#longLink = undefined;
    const given = new Map(records);
    if (raw.type === 'S') {
      const extents: Extent[] = [];
      const sized = { ...header, size: oldSparseSize(raw.block) };
      const more = readOldSparse(raw.block, false, extents);
      if (more) this.#state = { at: 'old-sparse', raw, header: sized, extents, stored };
      else this.#startSparse(sized, { extents, size: sized.size }, stored);
    } else if (header.type === 'file' && given.get('GNU.sparse.major') === '1') {
      const size = Number(given.get('GNU.sparse.realsize') ?? Number.NaN);
      if (!Number.isSafeInteger(size) || size < 0) throw invalid('archive is damaged: a sparse file has no size');
      const reader = new SparseMapReader();
      this.#state = { at: 'sparse-map', header: { ...header, size }, reader, left: stored, pad: padOf(stored) };
    } else if (header.type === 'file' && (given.has('GNU.sparse.map') || given.has('GNU.sparse.numblocks'))) {
      const size = Number(given.get('GNU.sparse.size') ?? Number.NaN);
      if (!Number.isSafeInteger(size) || size < 0) throw invalid('archive is damaged: a sparse file has no size');
      this.#startSparse({ ...header, size }, { extents: paxSparse(records), size }, stored);
    } else this.#startData(header, stored, undefined);
  }

  #startSparse(header: TarHeader, map: SparseMap, stored: number): void {
    this.#startData(header, stored, checkSparse(map, stored));
  }

  #startData(header: TarHeader, stored: number, sparse: SparseMap | undefined): void {
    if (stored < 0) throw invalid('archive is damaged: an entry has a negative size');
    this.#sink.entry(header);
    // A directory's data (GNU incremental listings) is of no use here.
    if (header.type !== 'file') {
      this.#sink.end();
      this.#skip(stored + padOf(stored));
    } else if (stored === 0) {
      this.#sink.end();
      this.#state = { at: 'header' };
    } else this.#state = { at: 'data', left: stored, pad: padOf(stored), offset: 0, sparse, extent: 0 };
  }

  #onData(state: State & { at: 'data' }, chunk: Buffer): void {
    state.left -= chunk.length;
    if (state.sparse === undefined) {
      this.#sink.data(chunk, state.offset);
      state.offset += chunk.length;
    } else
      for (let at = 0; at < chunk.length; ) {
        const extent = state.sparse.extents[state.extent]!;
        const take = Math.min(extent.length - state.offset, chunk.length - at);
        this.#sink.data(chunk.subarray(at, at + take), extent.offset + state.offset);
        at += take;
        state.offset += take;
        if (state.offset === extent.length) {
          state.extent++;
          state.offset = 0;
        }
      }
    if (state.left > 0) return;
    this.#sink.end();
    this.#skip(state.pad);
  }

  #skip(bytes: number): void {
    this.#state = bytes === 0 ? { at: 'header' } : { at: 'padding', left: bytes };
  }
}
