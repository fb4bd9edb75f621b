import { createHash } from 'node:crypto';
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statfsSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { removeTree } from '../../archive/index.ts';
import { conflict } from '../../common/index.ts';
import type { ListedFile, MissingFiles } from '../../wire/index.ts';
import type { CacheRecord, CacheSource } from '../cache-records.ts';
import { Flights } from '../flights.ts';
import { BodyReader } from './body.ts';
import { MAX_HEAD_BYTES, readHead, readList, readSent } from './list.ts';
import { type KeptFile, type KeptFiles, missingFiles, TreeUpdate } from './tree.ts';

/** Contexts that nobody used for so long go. */
const MAX_AGE_MS = 7 * 24 * 3600_000;
/** All of them together may have this part of the disk, but this much in any case. */
const DISK_SHARE = 0.1;
const MIN_LIMIT_BYTES = 4 * 2 ** 30;
/** So many lists of contexts that nobody uses stay in memory. */
const LOADED = 4;
const MAX_SENT_HEAD_BYTES = 1024;

/** A client's directory as it is kept here, for the time of one build. */
export interface KeptContext {
  root: string;
  dockerfile: { name: string; text: string };
  /** SHA-256 (hex) of a file of the context, by its path on this machine. */
  digestOf(path: Buffer): string | undefined;
  /** Digests of whole parts of this context, kept as long as it stays as it is. */
  digests: Map<string, string>;
  /** Idempotent. */
  end(): void;
}

interface About {
  /** Files were written without a sync: after a crash of the machine they are worth nothing. */
  boot: string;
  context: string;
  bytes: number;
  created: number;
  used: number;
  uses: number;
}

interface Listing {
  /** As a client writes it. */
  bytes: Buffer;
  /** Every file has a stamp: the same list means the same contents. */
  sure: boolean;
  files: KeptFiles;
}

interface Kept extends About {
  id: string;
  users: number;
  /** Undefined: on disk only. */
  listing: Listing | undefined;
  digests: Map<string, string>;
}

/**
 * Directories of clients, kept so that only changed files travel again. Each has a directory here: `tree` (the files), `list.json` and
 * `about.json`. A context without the last is none: it goes before anything is changed and comes when all is done.
 */
export class KeptContexts implements CacheSource {
  readonly #directory: string;
  readonly #boot: string;
  readonly #contexts = new Map<string, Kept>();
  readonly #locks = new Flights();

  /** Takes away what is not whole. Call once, before anything else has the directory. */
  static async open(directory: string): Promise<KeptContexts> {
    mkdirSync(directory, { recursive: true, mode: 0o711 });
    const contexts = new KeptContexts(directory, readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim());
    for (const id of readdirSync(directory)) {
      const about = contexts.#readAbout(id);
      if (about === undefined) await removeTree(join(directory, id));
      else contexts.#contexts.set(id, { ...about, id, users: 0, listing: undefined, digests: new Map() });
    }
    await contexts.collect();
    return contexts;
  }

  private constructor(directory: string, boot: string) {
    this.#directory = directory;
    this.#boot = boot;
  }

  /** Reads a body as `wire/build-files.ts` has it. */
  async receive(source: Readable, signal: AbortSignal): Promise<{ missing: MissingFiles } | { context: KeptContext }> {
    const body = new BodyReader(source);
    const head = readHead(await body.line(MAX_HEAD_BYTES));
    const listBytes = await body.bytes(head.listBytes);
    const id = createHash('sha256').update(head.context).digest('hex');
    const release = await this.#locks.lock(id, signal);
    try {
      const known = this.#contexts.get(id);
      const same = known !== undefined && isSame(this.#listing(known), listBytes);
      if (!same) {
        if (known !== undefined && known.users > 0) throw conflict('another build has other files of this context');
        const missing = await this.#update(id, head.context, listBytes, body, signal);
        if (missing !== undefined) return { missing };
      }
      return { context: this.#use(this.#contexts.get(id)!, head.dockerfile) };
    } finally {
      release();
      await body.close();
    }
  }

  async records(): Promise<CacheRecord[]> {
    return [...this.#contexts.values()].map(({ id, context, bytes, created, used, uses, users }) => ({
      id: id.slice(0, 25),
      type: 'source.local',
      description: `local source for context ${context}`,
      bytes,
      created: new Date(created),
      used: new Date(used),
      uses,
      inUse: users > 0,
      shared: false,
    }));
  }

  async remove(ids: readonly string[]): Promise<string[]> {
    const gone: string[] = [];
    for (const { id } of [...this.#contexts.values()])
      if (ids.includes(id.slice(0, 25)) && (await this.#drop(id))) gone.push(id.slice(0, 25));
    return gone;
  }

  /** False: a build has it. */
  async #drop(id: string): Promise<boolean> {
    const release = await this.#locks.lock(id, new AbortController().signal);
    try {
      const kept = this.#contexts.get(id);
      if (kept === undefined || kept.users > 0) return false;
      this.#contexts.delete(id);
      rmSync(this.#path(id, 'about.json'), { force: true });
      await removeTree(join(this.#directory, id));
      return true;
    } finally {
      release();
    }
  }

  /** Keeps to the limits: by age, and by size with the longest unused first. */
  async collect(): Promise<void> {
    const { blocks, bsize } = statfsSync(this.#directory);
    const limit = Math.max(MIN_LIMIT_BYTES, blocks * bsize * DISK_SHARE);
    let total = [...this.#contexts.values()].reduce((sum, { bytes }) => sum + bytes, 0);
    for (const { id, used, bytes } of [...this.#contexts.values()].sort((a, b) => a.used - b.used)) {
      if (total <= limit && Date.now() - used < MAX_AGE_MS) break;
      if (await this.#drop(id)) total -= bytes;
    }
  }

  /** Undefined: the directory is what the list says. */
  async #update(
    id: string,
    context: string,
    listBytes: Buffer,
    body: BodyReader,
    signal: AbortSignal,
  ): Promise<MissingFiles | undefined> {
    const list = readList(listBytes);
    const known = this.#contexts.get(id);
    const before: KeptFiles = known === undefined ? new Map() : this.#listing(known).files;
    const missing = missingFiles(list, before);
    if (missing.contents.length + missing.digests.length > 0 && (await body.atEnd())) return missing;
    rmSync(this.#path(id, 'about.json'), { force: true });
    const tree = this.#path(id, 'tree');
    mkdirSync(join(this.#directory, id), { recursive: true, mode: 0o700 });
    mkdirSync(tree, { recursive: true, mode: 0o755 });
    let update: TreeUpdate;
    try {
      update = await TreeUpdate.begin(tree, list, before);
    } catch (error) {
      this.#contexts.delete(id);
      await removeTree(join(this.#directory, id));
      throw error;
    }
    try {
      while (!(await body.atEnd())) {
        signal.throwIfAborted();
        const sent = readSent(await body.line(MAX_SENT_HEAD_BYTES));
        if ('digest' in sent) await update.adopt(sent.file, sent.digest);
        else await update.write(sent.file, sent.size, body.run(sent.size));
      }
      await update.finish();
    } finally {
      // What came stays, also if the rest did not.
      this.#keep(id, context, update.files());
    }
    const left = update.missing();
    return left.contents.length + left.digests.length > 0 ? left : undefined;
  }

  #keep(id: string, context: string, files: Map<string, KeptFile>): void {
    const now = Date.now();
    const before = this.#contexts.get(id);
    const bytes = [...files.values()].reduce((sum, { entry }) => sum + (entry[0] === 'f' ? entry[4] : 0), 0);
    const about: About = {
      boot: this.#boot,
      context,
      bytes,
      created: before?.created ?? now,
      used: now,
      uses: before?.uses ?? 0,
    };
    const kept = [...files.values()];
    writeFileSync(this.#path(id, 'list.json'), JSON.stringify(kept.map(({ entry, digest }) => [entry, digest])));
    writeFileSync(this.#path(id, 'about.tmp'), JSON.stringify(about));
    renameSync(this.#path(id, 'about.tmp'), this.#path(id, 'about.json'));
    this.#contexts.set(id, { ...about, id, users: 0, listing: listingOf(files), digests: new Map() });
  }

  #use(kept: Kept, dockerfile: KeptContext['dockerfile']): KeptContext {
    const root = this.#path(kept.id, 'tree');
    const prefix = Buffer.byteLength(root) + 1;
    const { files } = this.#listing(kept);
    kept.users++;
    kept.uses++;
    kept.used = Date.now();
    utimesSync(this.#path(kept.id, 'about.json'), kept.used / 1000, kept.used / 1000);
    let ended = false;
    return {
      root,
      dockerfile,
      digestOf: (path) => files.get(path.subarray(prefix).toString('latin1'))?.digest,
      digests: kept.digests,
      end: () => {
        if (!ended) kept.users--;
        ended = true;
        this.#unload();
      },
    };
  }

  #listing(kept: Kept): Listing {
    if (kept.listing === undefined) {
      const list = JSON.parse(readFileSync(this.#path(kept.id, 'list.json'), 'utf8')) as [ListedFile, string][];
      kept.listing = listingOf(new Map(list.map(([entry, digest]) => [entry[1], { entry, digest }])));
    }
    return kept.listing;
  }

  #unload(): void {
    const idle = [...this.#contexts.values()].filter(({ users, listing }) => users === 0 && listing !== undefined);
    for (const kept of idle.sort((a, b) => b.used - a.used).slice(LOADED)) kept.listing = undefined;
  }

  #readAbout(id: string): About | undefined {
    try {
      const about = JSON.parse(readFileSync(this.#path(id, 'about.json'), 'utf8')) as About;
      return about.boot === this.#boot ? about : undefined;
    } catch {
      return undefined;
    }
  }

  #path(id: string, name: string): string {
    return join(this.#directory, id, name);
  }
}

const isSame = ({ bytes, sure }: Listing, others: Buffer): boolean => sure && bytes.equals(others);

function listingOf(files: KeptFiles): Listing {
  const entries = [...files.values()].map(({ entry }) => entry);
  const sure = entries.every((entry) => entry[0] !== 'f' || entry[5] !== '');
  return { bytes: Buffer.from(JSON.stringify(entries)), sure, files };
}
