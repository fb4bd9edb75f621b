import type { Send } from './messages.ts';

/** More of a waiting stage's lines than this are not held back. */
const HOLD_BYTES = 1024 * 1024;

/**
 * Stages run at the same time, people read one after the other: the first unfinished stage's lines go out at once, those of later
 * stages wait for their turn (unless they grow too many: then the order is given up, not the memory).
 */
export class OrderedSender {
  readonly #send: Send;
  readonly #waiting: { lines: Record<string, unknown>[]; bytes: number; done: boolean }[] = [];
  #turn = 0;

  constructor(send: Send) {
    this.#send = send;
  }

  /** For the next stage, in the order of the file. */
  lane(): { offer: Send; done: () => void } {
    const index = this.#waiting.length;
    this.#waiting.push({ lines: [], bytes: 0, done: false });
    return {
      offer: (message) => this.#offer(index, message),
      done: () => {
        this.#waiting[index]!.done = true;
        this.#advance();
      },
    };
  }

  #offer(index: number, message: Record<string, unknown>): void {
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
