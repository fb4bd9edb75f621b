import type { Readable } from 'node:stream';
import { invalid } from '../../common/index.ts';

/** Takes a stream apart into lines and runs of bytes of known length. */
export class BodyReader {
  readonly #source: Readable;
  readonly #chunks: AsyncIterator<Buffer>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(source: Readable) {
    this.#source = source;
    // A request that is destroyed takes its connection along, and so the answer.
    this.#chunks = source.iterator({ destroyOnReturn: false });
  }

  /** What was not read is let run out. */
  async close(): Promise<void> {
    await this.#chunks.return?.();
    this.#source.resume();
  }

  /** True if nothing comes any more. */
  async atEnd(): Promise<boolean> {
    while (this.#rest.length === 0) if (!(await this.#more())) return true;
    return false;
  }

  async line(maxBytes: number): Promise<string> {
    const parts: Buffer[] = [];
    for (let length = 0; ; ) {
      if (await this.atEnd()) throw cut();
      const end = this.#rest.indexOf(0x0a);
      const part = end < 0 ? this.#rest : this.#rest.subarray(0, end);
      this.#rest = this.#rest.subarray(end < 0 ? part.length : end + 1);
      parts.push(part);
      length += part.length;
      if (length > maxBytes) throw invalid('a line of the build’s body is too long');
      if (end >= 0) return Buffer.concat(parts).toString();
    }
  }

  async bytes(length: number): Promise<Buffer> {
    const parts: Buffer[] = [];
    for await (const part of this.run(length)) parts.push(part);
    return Buffer.concat(parts);
  }

  async *run(length: number): AsyncGenerator<Buffer> {
    for (let left = length; left > 0; ) {
      if (await this.atEnd()) throw cut();
      const part = this.#rest.subarray(0, left);
      this.#rest = this.#rest.subarray(part.length);
      left -= part.length;
      yield part;
    }
  }

  async #more(): Promise<boolean> {
    const { done, value } = await this.#chunks.next();
    if (done === true) return false;
    this.#rest = value;
    return true;
  }
}

const cut = () => invalid('the build’s body ends too early');
