import { readdirSync, statSync } from 'node:fs';
import { mkdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { removeTree, treeSize } from '../archive/index.ts';
import { isErrno } from '../common/index.ts';
import type { CacheRecord, CacheSource } from './cache-records.ts';

interface Use {
  users: number;
  uses: number;
  last: number;
}

/** Directories of `RUN --mount=type=cache`, by name; they outlive builds. */
export class CacheMounts implements CacheSource {
  readonly #directory: string;
  /** Since the daemon's start. */
  readonly #uses = new Map<string, Use>();

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Keeps it from being removed until `end`, also before it is there. */
  use(name: string): { path: string; end: () => void } {
    const use = this.#uses.get(name) ?? { users: 0, uses: 0, last: 0 };
    this.#uses.set(name, use);
    use.users++;
    use.uses++;
    const path = join(this.#directory, name);
    const end = () => {
      use.users--;
      use.last = Date.now();
    };
    return { path, end };
  }

  /** Moves a directory here. */
  async put(name: string, made: string): Promise<void> {
    await mkdir(this.#directory, { recursive: true, mode: 0o711 });
    await rename(made, join(this.#directory, name));
  }

  async records(): Promise<CacheRecord[]> {
    const records: CacheRecord[] = [];
    for (const name of this.#names()) {
      const path = join(this.#directory, name);
      const { birthtime, mtimeMs } = statSync(path);
      const use = this.#uses.get(name);
      records.push({
        id: name.slice(0, 25),
        type: 'exec.cachemount',
        description: 'cached mount of RUN --mount=type=cache',
        bytes: await treeSize(path),
        created: birthtime,
        used: new Date(Math.max(use?.last ?? 0, mtimeMs)),
        uses: use?.uses ?? 0,
        inUse: (use?.users ?? 0) > 0,
        shared: false,
      });
    }
    return records;
  }

  async remove(ids: readonly string[]): Promise<string[]> {
    const gone: string[] = [];
    for (const name of this.#names()) {
      const id = name.slice(0, 25);
      if (!ids.includes(id) || (this.#uses.get(name)?.users ?? 0) > 0) continue;
      await removeTree(join(this.#directory, name));
      gone.push(id);
    }
    return gone;
  }

  #names(): string[] {
    try {
      return readdirSync(this.#directory);
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return [];
      throw error;
    }
  }
}
