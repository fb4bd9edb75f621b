const CHUNK = 256 * 1024;

/** Collects bytes into chunks of 256 KiB that are handed on whole; `send` may be awaited for back-pressure. */
export class OutputBuffer {
  readonly #send: (chunk: Buffer) => Promise<void>;
  #chunk = Buffer.allocUnsafeSlow(CHUNK);
  #filled = 0;

  constructor(send: (chunk: Buffer) => Promise<void>) {
    this.#send = send;
  }

  async write(bytes: Buffer): Promise<void> {
    for (let at = 0; at < bytes.length; ) {
      const copied = bytes.copy(this.#chunk, this.#filled, at);
      at += copied;
      this.#filled += copied;
      if (this.#filled === CHUNK) await this.flush();
    }
  }

  /** Free space to read into directly; say with `advance` how much was used. */
  async room(): Promise<Buffer> {
    if (this.#filled === CHUNK) await this.flush();
    return this.#chunk.subarray(this.#filled);
  }
  advance(bytes: number): void {
    this.#filled += bytes;
  }

  async flush(): Promise<void> {
    if (this.#filled === 0) return;
    const full = this.#chunk.subarray(0, this.#filled);
    this.#chunk = Buffer.allocUnsafeSlow(CHUNK);
    this.#filled = 0;
    await this.#send(full);
  }
}
