import { closeSync } from 'node:fs';
import { basename } from 'node:path';
import { sealedCopy } from '../sys/index.ts';

/** Runtimes that look whether they run from a sealed copy. */
const SELF_SEALING = new Set(['crun', 'runc']);

/**
 * Where runtimes are run from. crun and runc keep containers from overwriting the program on the machine through /proc/self/exe (CVE-2019-5736):
 * each time, they make a copy or a read-only mount of themselves and start once more from there, unless they find themselves in a sealed
 * memory file (crun src/libcrun/cloned_binary.c, runc libcontainer/nsenter/cloned_binary.c). One such copy for the daemon's life
 * saves every call that second start.
 */
export class RuntimePrograms {
  readonly #copies = new Map<string, number>();

  /** The path to run the runtime at `path` by; valid while the daemon lives. */
  of(path: string): string {
    if (!SELF_SEALING.has(basename(path))) return path;
    const copy = this.#copies.get(path) ?? sealedCopy(path);
    this.#copies.set(path, copy);
    return `/proc/${process.pid}/fd/${copy}`;
  }

  close(): void {
    for (const descriptor of this.#copies.values()) closeSync(descriptor);
    this.#copies.clear();
  }
}
