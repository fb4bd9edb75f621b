import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { OciSpec } from './types.ts';

/** Of different profiles; Docker's own and few of a machine's. */
const KEPT = 16;
/** crun.1: takes a filter as the kernel does, in base64, in the place of the description's. */
const ANNOTATION = 'run.oci.seccomp_bpf_data';

/**
 * Compiling the default seccomp profile is a quarter of crun's work for a container. It leaves the result in its state directory, from where
 * it is kept, to be given back with the next container of the same profile.
 */
export class CompiledFilters {
  readonly #filters = new Map<string, string>();

  /** The description, with the compiled filter if there is one. */
  apply(spec: OciSpec): OciSpec {
    const filter = this.#filters.get(keyOf(spec) ?? '');
    if (filter === undefined) return spec;
    return { ...spec, annotations: { ...(spec.annotations as object | undefined), [ANNOTATION]: filter } };
  }

  /** Keeps what crun made for this container, whose state is there. */
  async learn(spec: OciSpec, state: string): Promise<void> {
    const key = keyOf(spec);
    if (key === undefined || this.#filters.has(key)) return;
    const filter = await readFile(join(state, 'seccomp.bpf'), 'base64').catch(() => '');
    if (filter === '') return;
    if (this.#filters.size >= KEPT) this.#filters.delete(this.#filters.keys().next().value ?? '');
    this.#filters.set(key, filter);
  }
}

/** Undefined for profiles whose filter is not all there is to them (config-linux.md, Seccomp: flags, listener). */
function keyOf(spec: OciSpec): string | undefined {
  const { seccomp } = (spec.linux ?? {}) as { seccomp?: Record<string, unknown> };
  if (seccomp === undefined || seccomp.flags !== undefined || seccomp.listenerPath !== undefined) return undefined;
  return createHash('sha256').update(JSON.stringify(seccomp)).digest('hex');
}
