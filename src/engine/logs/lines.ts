/** One message of a log: a line with its newline, or a part of a longer one. */
export interface LogLine {
  /** As conmon wrote it: local time with an offset. */
  time: string;
  stream: 1 | 2;
  data: Buffer;
}

/** One record of conmon's k8s-file (CRI) log: `TIME stdout|stderr P|F text`. A `P` has no newline of its own. */
export interface RecordHead {
  stream: 1 | 2;
  full: boolean;
  /** Where the time ends and where the text begins, from the record's start. */
  timeEnd: number;
  textStart: number;
}

/** moby cuts longer lines into messages of this size, each with the line's time (daemon/logger/copier.go). */
export const MESSAGE_BYTES = 16 * 1024;
const NEWLINE = Buffer.from('\n');

/** Reads a record's head in `data` between `start` and `end` (its newline); undefined if it is none. */
export function recordHead(data: Buffer, start: number, end: number): RecordHead | undefined {
  const first = data.indexOf(32, start);
  const second = first < 0 ? -1 : data.indexOf(32, first + 1);
  if (second < 0 || second + 1 >= end) return undefined;
  return {
    // The words differ in their fourth letter: stdout, stderr.
    stream: data[first + 4] === 0x65 ? 2 : 1,
    full: data[second + 1] === 0x46,
    timeEnd: first - start,
    textStart: Math.min(second + 3, end) - start,
  };
}

interface Partial {
  time: string;
  parts: Buffer[];
  bytes: number;
}

/** Turns log bytes into messages. Feed chunks in order; a chunk must not be reused, messages are views of it. `flush` gives lines that have no end yet. */
export class LineParser {
  #rest: Buffer = Buffer.alloc(0);
  readonly #partial: Record<1 | 2, Partial | undefined> = { 1: undefined, 2: undefined };

  feed(chunk: Buffer): LogLine[] {
    const data = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const messages: LogLine[] = [];
    let start = 0;
    for (let end = data.indexOf(10, start); end >= 0; end = data.indexOf(10, start)) {
      this.#record(data, start, end, messages);
      start = end + 1;
    }
    this.#rest = start === 0 ? data : data.subarray(start);
    return messages;
  }

  flush(): LogLine[] {
    const messages: LogLine[] = [];
    for (const stream of [1, 2] as const) {
      const partial = this.#partial[stream];
      this.#partial[stream] = undefined;
      if (partial !== undefined && partial.bytes > 0)
        messages.push({ time: partial.time, stream, data: Buffer.concat(partial.parts) });
    }
    return messages;
  }

  #record(data: Buffer, start: number, end: number, messages: LogLine[]): void {
    const head = recordHead(data, start, end);
    if (head === undefined) return;
    const { stream, full } = head;
    const begun = this.#partial[stream];
    const time = begun?.time ?? data.toString('latin1', start, start + head.timeEnd);
    const textStart = start + head.textStart;
    if (full && begun === undefined) {
      // The record's newline is the line's.
      messages.push({ time, stream, data: data.subarray(textStart, end + 1) });
      return;
    }
    const partial = begun ?? { time, parts: [], bytes: 0 };
    partial.parts.push(data.subarray(textStart, end));
    partial.bytes += end - textStart;
    while (partial.bytes >= MESSAGE_BYTES) {
      const all = Buffer.concat(partial.parts);
      messages.push({ time, stream, data: all.subarray(0, MESSAGE_BYTES) });
      partial.parts = [all.subarray(MESSAGE_BYTES)];
      partial.bytes -= MESSAGE_BYTES;
    }
    this.#partial[stream] = full ? undefined : partial;
    if (full) messages.push({ time, stream, data: Buffer.concat([...partial.parts, NEWLINE]) });
  }
}

/** conmon writes local time with an offset; Docker shows UTC with nine digits. Such texts are ordered as their times are. */
export function utcTime(text: string): string {
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)$/.exec(text);
  if (match === null) return text;
  const seconds =
    match[3] === 'Z' || match[3] === '+00:00'
      ? match[1]!
      : new Date(`${match[1]}${match[3]}`).toISOString().slice(0, 19);
  return `${seconds}.${(match[2] ?? '').padEnd(9, '0')}Z`;
}
