import type { ServerResponse } from 'node:http';
import { cancelled, messageOf } from '../common/index.ts';
import type { ProgressMessage } from '../wire/index.ts';

/** A client that reads slower than this much behind gets no more progress bars, but every other line. */
const DROP_PROGRESS_BYTES = 1024 * 1024;
/** One that is this far behind is not reading at all. */
const GIVE_UP_BYTES = 64 * 1024 * 1024;

/** Docker's stream of JSON messages: an error after its start is its last message, before it an answer of its own. */
export class MessageStream {
  readonly #response: ServerResponse;
  #started = false;

  constructor(response: ServerResponse) {
    this.#response = response;
  }

  /** Throws cancelled if the client is gone or has stopped reading. */
  readonly send = (message: ProgressMessage | Record<string, unknown>): void => {
    const response = this.#response;
    if (response.destroyed) throw cancelled('client is gone');
    this.begin();
    const behind = response.writableLength;
    if (behind > GIVE_UP_BYTES) {
      response.destroy();
      throw cancelled('client does not read');
    }
    const bar = (message as ProgressMessage).progressDetail?.current !== undefined;
    if (bar && behind > DROP_PROGRESS_BYTES) return;
    response.write(`${JSON.stringify(message)}\r\n`);
  };

  /** Sends the answer's head: from here on an error is a message. */
  begin(): void {
    if (this.#started) return;
    this.#started = true;
    this.#response.writeHead(200, { 'Content-Type': 'application/json' });
    this.#response.flushHeaders();
  }

  /** Runs the work; ends the answer. What fails before the first message is thrown on. */
  async run(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!this.#started) throw error;
      if (this.#response.destroyed) return;
      const message = messageOf(error);
      const code = (error as { exitCode?: unknown }).exitCode;
      this.#response.write(
        `${JSON.stringify({ errorDetail: { ...(typeof code === 'number' ? { code } : {}), message }, error: message })}\r\n`,
      );
    }
    this.begin();
    this.#response.end();
  }
}
