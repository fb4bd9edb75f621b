/** More of a waiting stage's lines than this are not held back. */
const HOLD_BYTES = 1024 * 1024;

export type Send = (message: Record<string, unknown>) => void;

/**
 * Stages run at the same time, people read one after the other: the first unfinished stage's lines go out at once, those of later
 * stages wait for their turn (unless they grow too many: then the order is given up, not the memory).
 */
export class OrderedMessages {
  readonly #send: Send;
  readonly #quiet: boolean;
  readonly #waiting: { lines: Record<string, unknown>[]; bytes: number; done: boolean }[] = [];
  #turn = 0;

  constructor(send: Send, quiet: boolean) {
    this.#send = send;
    this.#quiet = quiet;
  }

  /** A lane for the next stage, in the order of the file. */
  lane(): Lane {
    const index = this.#waiting.length;
    this.#waiting.push({ lines: [], bytes: 0, done: false });
    return {
      send: (message) => this.#offer(index, message),
      stream: (text) => this.#offer(index, { stream: text }),
      done: () => {
        this.#waiting[index]!.done = true;
        this.#advance();
      },
    };
  }

  #offer(index: number, message: Record<string, unknown>): void {
    if (this.#quiet) return;
    const own = this.#waiting[index]!;
    if (index <= this.#turn || own.bytes > HOLD_BYTES) {
      this.#flush(index, message);
      return;
    }
    own.lines.push(message);
    own.bytes += JSON.stringify(message).length;
  }

  #flush(index: number, message?: Record<string, unknown>): void {
    const own = this.#waiting[index]!;
    for (const line of own.lines.splice(0)) this.#send(line);
    if (message !== undefined) this.#send(message);
  }

  #advance(): void {
    while (this.#turn < this.#waiting.length && this.#waiting[this.#turn]!.done) {
      this.#flush(this.#turn);
      this.#turn++;
    }
    if (this.#turn < this.#waiting.length) this.#flush(this.#turn);
  }
}

export interface Lane {
  send: Send;
  stream: (text: string) => void;
  /** The stage is over, well or not. */
  done: () => void;
}
