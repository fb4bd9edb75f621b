import type { Readable } from 'node:stream';
import { invalid } from '../common/index.ts';

/** BuildKit's limit for one secret (session/secrets, MaxSecretSize). */
const MAX_SECRET_BYTES = 500 * 1024;
const MAX_SECRETS_PER_BUILD = 100;
const MAX_WAITING_BUILDS = 100;
/** A client sends its secrets just before its build; those of one that never comes are forgotten. */
const FORGET_MS = 60_000;

interface Waiting {
  secrets: Map<string, Buffer>;
  timer: NodeJS.Timeout;
}

/** Secrets on their way to a build, by the id that the client gave it. In memory only; a build takes its own out. */
export class SecretBox {
  readonly #waiting = new Map<string, Waiting>();

  async put(buildId: string, id: string, content: Readable): Promise<void> {
    if (buildId === '') throw invalid('build ID not provided');
    if (id === '') throw invalid('secret ID not provided');
    const value = await bounded(id, content);
    const known = this.#waiting.get(buildId);
    if (known === undefined && this.#waiting.size >= MAX_WAITING_BUILDS)
      throw invalid(`secrets of ${MAX_WAITING_BUILDS} builds are waiting already`);
    const secrets = known?.secrets ?? new Map<string, Buffer>();
    if (!secrets.has(id) && secrets.size >= MAX_SECRETS_PER_BUILD)
      throw invalid(`more than ${MAX_SECRETS_PER_BUILD} secrets for one build`);
    clearTimeout(known?.timer);
    this.#waiting.set(buildId, { secrets: secrets.set(id, value), timer: this.#timer(buildId) });
  }

  /** While the context of a build is read, however long that takes, its secrets stay. */
  async during<T>(buildId: string, work: () => Promise<T>): Promise<T> {
    const found = this.#waiting.get(buildId);
    if (found === undefined) return work();
    clearTimeout(found.timer);
    try {
      return await work();
    } finally {
      if (this.#waiting.get(buildId) === found) found.timer = this.#timer(buildId);
    }
  }

  #timer(buildId: string): NodeJS.Timeout {
    return setTimeout(() => forget(this.take(buildId)), FORGET_MS).unref();
  }

  /** They are the caller's from now on. */
  take(buildId: string): Map<string, Buffer> {
    const found = this.#waiting.get(buildId);
    clearTimeout(found?.timer);
    this.#waiting.delete(buildId);
    return found?.secrets ?? new Map();
  }
}

async function bounded(id: string, content: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of content as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_SECRET_BYTES) throw invalid(`secret ${id} too big. max size 500KB`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Nothing of them stays in memory. */
export function forget(secrets: Map<string, Buffer>): void {
  for (const value of secrets.values()) value.fill(0);
  secrets.clear();
}
