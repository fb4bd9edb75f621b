import { mkdir, mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { removeTree } from '../archive/index.ts';

/** A directory for one build, made when something is to be put there: one that finds all in the cache needs none. */
export class BuildDirectory {
  readonly #builds: string;
  #path: Promise<string> | undefined;

  constructor(builds: string) {
    this.#builds = builds;
  }

  path(): Promise<string> {
    this.#path ??= this.#make();
    return this.#path;
  }

  async remove(): Promise<void> {
    if (this.#path !== undefined) await removeTree(await this.#path);
  }

  async #make(): Promise<string> {
    await mkdir(this.#builds, { recursive: true, mode: 0o711 });
    return mkdtemp(join(this.#builds, 'build-'));
  }
}
