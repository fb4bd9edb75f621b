import { createHash } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  constants,
  lutimesSync,
  mkdirSync,
  openSync,
  rmdirSync,
  symlinkSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { setImmediate as breath } from 'node:timers/promises';
import { invalid } from '../../common/index.ts';
import type { ListedFile, MissingFiles } from '../../wire/index.ts';

/** What is on disk: the entry as it was last written, and of a file its SHA-256 (hex). */
export interface KeptFile {
  entry: ListedFile;
  digest: string;
}
export type KeptFiles = ReadonlyMap<string, KeptFile>;

/** Below this a file is sent at once: asking for its digest first costs more. */
const DIGEST_FROM_BYTES = 64 * 1024;
/** Others are served after so many changes. */
const BREATH = 500;

/** What is known of an entry of the new list: its content is here, may be here, or is not. */
export function contentOf(entry: ListedFile, files: KeptFiles): 'here' | 'perhaps' | 'missing' {
  const before = files.get(entry[1])?.entry;
  if (before?.[0] !== entry[0]) return 'missing';
  if (entry[0] === 'd') return 'here';
  if (entry[0] === 'l') return before[0] === 'l' && before[3] === entry[3] ? 'here' : 'missing';
  if (before[0] !== 'f' || before[4] !== entry[4]) return 'missing';
  if (entry[5] !== '' && before[5] === entry[5]) return 'here';
  return entry[4] < DIGEST_FROM_BYTES ? 'missing' : 'perhaps';
}

export function missingFiles(list: readonly ListedFile[], files: KeptFiles): MissingFiles {
  const missing: MissingFiles = { contents: [], digests: [] };
  for (const [place, entry] of list.entries()) {
    if (entry[0] !== 'f') continue;
    const content = contentOf(entry, files);
    if (content === 'perhaps') missing.digests.push(place);
    else if (content === 'missing') missing.contents.push(place);
  }
  return missing;
}

/**
 * Makes a directory that holds `files` into one that holds what a (checked) list names. It can stop anywhere: `files()` is always what
 * is really there. No name is followed that is a link, for the directories above each name are ones of the list.
 */
export class TreeUpdate {
  readonly #root: Buffer;
  readonly #list: readonly ListedFile[];
  /** By place in the list. */
  readonly #here: (KeptFile | undefined)[];
  /** Places of files that are here, with a content that may be another now. */
  readonly #unsure = new Set<number>();
  #changes = 0;

  private constructor(root: string, list: readonly ListedFile[]) {
    this.#root = Buffer.from(`${root}/`);
    this.#list = list;
    this.#here = list.map(() => undefined);
  }

  /** Removes what the list has not, or has otherwise; makes its directories and links. */
  static async begin(root: string, list: readonly ListedFile[], files: KeptFiles): Promise<TreeUpdate> {
    const update = new TreeUpdate(root, list);
    const places = new Map(list.map((entry, place) => [entry[1], place]));
    for (const kept of [...files.values()].reverse()) {
      const [kind, path] = kept.entry;
      const place = places.get(path);
      const wanted = place === undefined ? undefined : list[place]!;
      const content = wanted === undefined ? 'missing' : contentOf(wanted, files);
      if (place !== undefined && content !== 'missing') {
        // Its times go when something in it does.
        update.#here[place] = kind === 'd' ? { ...kept, entry: ['d', path, -1, -1] } : kept;
        if (content === 'perhaps') update.#unsure.add(place);
        continue;
      }
      if (kind === 'd') rmdirSync(update.#pathOf(path));
      else unlinkSync(update.#pathOf(path));
      await update.#changed();
    }
    for (const [place, entry] of list.entries()) {
      if (entry[0] === 'f' || update.#here[place] !== undefined) continue;
      if (entry[0] === 'd') mkdirSync(update.#pathOf(entry[1]), { mode: 0o700 });
      else symlinkSync(Buffer.from(entry[3], 'latin1'), update.#pathOf(entry[1]));
      const made: ListedFile = entry[0] === 'd' ? ['d', entry[1], -1, -1] : ['l', entry[1], -1, entry[3]];
      update.#here[place] = { entry: made, digest: '' };
      await update.#changed();
    }
    return update;
  }

  /** The file that is here is the list's if it has this digest; else it goes. */
  async adopt(place: number, digest: string): Promise<void> {
    const entry = this.#file(place);
    const kept = this.#here[place];
    if (kept?.entry[0] !== 'f') return;
    this.#unsure.delete(place);
    if (kept.digest === digest && kept.entry[4] === entry[4]) {
      const [, path, mode, mtime, size] = kept.entry;
      this.#here[place] = { entry: ['f', path, mode, mtime, size, entry[5]], digest };
    } else this.#drop(place);
    await this.#changed();
  }

  async write(place: number, size: number, chunks: AsyncIterable<Buffer>): Promise<void> {
    const entry = this.#file(place);
    if (size !== entry[4]) throw invalid(`a file of another size than listed: ${JSON.stringify(entry[1])}`);
    this.#unsure.delete(place);
    if (this.#here[place] !== undefined) this.#drop(place);
    const path = this.#pathOf(entry[1]);
    const hash = createHash('sha256');
    const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
    const file = openSync(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
    try {
      for await (const chunk of chunks) {
        hash.update(chunk);
        for (let at = 0; at < chunk.length; ) at += writeSync(file, chunk, at);
      }
    } catch (error) {
      unlinkSync(path);
      throw error;
    } finally {
      closeSync(file);
    }
    this.#here[place] = { entry: ['f', entry[1], -1, -1, size, entry[5]], digest: hash.digest('hex') };
    await this.#changed();
  }

  /** Modes and times, at the end: a directory's change with what is put in it. */
  async finish(): Promise<void> {
    for (const [place, entry] of this.#list.entries()) {
      const kept = this.#here[place];
      if (kept === undefined || this.#unsure.has(place)) continue;
      const path = this.#pathOf(entry[1]);
      const before = kept.entry;
      if (entry[0] === 'l') {
        if (before[2] !== entry[2]) lutimesSync(path, entry[2], entry[2]);
      } else if (before[2] !== entry[2] || before[3] !== entry[3]) {
        chmodSync(path, entry[2]);
        lutimesSync(path, entry[3], entry[3]);
      } else continue;
      this.#here[place] = { entry, digest: kept.digest };
      await this.#changed();
    }
  }

  missing(): MissingFiles {
    const contents = this.#list.flatMap((_, place) => (this.#here[place] === undefined ? [place] : []));
    return { contents, digests: [...this.#unsure] };
  }

  files(): Map<string, KeptFile> {
    return new Map(this.#here.flatMap((kept) => (kept === undefined ? [] : [[kept.entry[1], kept] as const])));
  }

  #file(place: number): Extract<ListedFile, readonly ['f', ...unknown[]]> {
    const entry = this.#list[place];
    if (entry?.[0] !== 'f') throw invalid(`no file of the list: ${place}`);
    return entry;
  }

  #drop(place: number): void {
    unlinkSync(this.#pathOf(this.#list[place]![1]));
    this.#here[place] = undefined;
  }

  #pathOf(path: string): Buffer {
    return Buffer.concat([this.#root, Buffer.from(path, 'latin1')]);
  }

  async #changed(): Promise<void> {
    this.#changes++;
    if (this.#changes % BREATH === 0) await breath();
  }
}
