import { rfc3339Nano, unsupported } from '../../common/index.ts';
import type { Container, ContainerBook } from '../containers/book.ts';
import type { LogService } from '../types.ts';
import { detailsOf } from './details.ts';
import type { LogFiles } from './files.ts';
import { type LogLine, utcTime } from './lines.ts';
import { LogReader } from './reader.ts';

export interface LogParts {
  book: ContainerBook;
  files: LogFiles;
  logPath: (id: string) => string;
}

type ReadOptions = Parameters<LogService['read']>[1];

/** Reads containers' logs as Docker's json-file driver answers. */
export class Logs implements LogService {
  readonly #parts: LogParts;
  constructor(parts: LogParts) {
    this.#parts = parts;
  }

  async read(ref: string, options: ReadOptions): ReturnType<LogService['read']> {
    const container = this.#parts.book.get(ref);
    if (container.record.host.LogConfig?.Type === 'none')
      throw unsupported('configured logging driver does not support reading');
    return { tty: container.record.config.Tty === true, output: this.#frames(container, options) };
  }

  async *#frames(container: Container, options: ReadOptions): AsyncGenerator<{ stream: 1 | 2; data: Buffer }> {
    const details = options.details ? `${detailsOf(container.record)} ` : '';
    const window = new Window(options);
    for await (const batch of this.#batches(container, options))
      for (const line of batch) {
        const place = window.place(line);
        if (place === 'after') return;
        if (place === 'before' || (line.stream === 1 ? !options.stdout : !options.stderr)) continue;
        const prefix = `${options.timestamps ? `${utcTime(line.time)} ` : ''}${details}`;
        yield {
          stream: line.stream,
          data: prefix === '' ? line.data : Buffer.concat([Buffer.from(prefix), line.data]),
        };
      }
  }

  async *#batches(container: Container, options: ReadOptions): AsyncGenerator<LogLine[]> {
    const { until, tail, signal } = options;
    const { startedAt } = container.state;
    // A run that ends is the end of what is followed, as in Docker, also if the policy brings the container back.
    const runs = () => container.running && container.state.startedAt === startedAt;
    const follow = options.follow && runs();
    const reader = await LogReader.open(this.#parts.files, this.#parts.logPath(container.id), signal);
    // Docker waits for a message past `until`; a quiet container would hold its reader for ever.
    const past = until === undefined ? undefined : AbortSignal.timeout(msUntil(until));
    try {
      yield* reader.existing(tail, !container.running);
      if (follow) yield* reader.live(() => !runs() || past?.aborted === true);
    } finally {
      await reader.close();
    }
  }
}

/** How long until a time is past; a timer holds at most 2³¹ ms, and nobody waits longer. */
const msUntil = (ns: bigint): number => Math.min(Math.max(0, Number(ns / 1_000_000n) - Date.now() + 1), 2 ** 31 - 1);

/** Where a message lies: what is before `since` is passed over until the first that is not; the first after `until` ends the log. */
class Window {
  #since: string | undefined;
  readonly #until: string | undefined;
  constructor({ since, until }: { since?: bigint; until?: bigint }) {
    this.#since = since === undefined ? undefined : utcTime(rfc3339Nano(since));
    this.#until = until === undefined ? undefined : utcTime(rfc3339Nano(until));
  }
  place(line: LogLine): 'before' | 'within' | 'after' {
    if (this.#since === undefined && this.#until === undefined) return 'within';
    const time = utcTime(line.time);
    if (this.#since !== undefined) {
      if (time < this.#since) return 'before';
      this.#since = undefined;
    }
    return this.#until !== undefined && time > this.#until ? 'after' : 'within';
  }
}
