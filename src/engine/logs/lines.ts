/** One record of conmon's k8s-file (CRI) log: `TIME stdout|stderr P|F text`. A `P` has no newline of its own. */
export interface LogLine {
  time: string;
  stream: 1 | 2;
  data: Buffer;
}

const NEWLINE = Buffer.from('\n');
/** moby cuts a line at 16 KiB into messages; conmon does at its own buffer. A joined line longer than this is given in parts. */
const MAX_JOINED = 1024 * 1024;

/**
 * Turns log bytes into messages: parts of a line are joined, as Docker shows them, with the first part's time. Feed chunks in order;
 * `flush` gives a line that has no end yet.
 */
export class LineParser {
  #rest: Buffer = Buffer.alloc(0);
  readonly #partial: Record<1 | 2, { time: string; parts: Buffer[]; bytes: number } | undefined> = {
    1: undefined,
    2: undefined,
  };

  *feed(chunk: Buffer): Generator<LogLine> {
    const data = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let start = 0;
    for (let end = data.indexOf(10, start); end >= 0; end = data.indexOf(10, start)) {
      const line = this.#line(data.subarray(start, end));
      if (line !== undefined) yield line;
      start = end + 1;
    }
    this.#rest = start === 0 ? data : Buffer.from(data.subarray(start));
  }

  *flush(): Generator<LogLine> {
    for (const stream of [1, 2] as const) {
      const partial = this.#partial[stream];
      this.#partial[stream] = undefined;
      if (partial !== undefined) yield { time: partial.time, stream, data: Buffer.concat(partial.parts) };
    }
  }

  #line(raw: Buffer): LogLine | undefined {
    const first = raw.indexOf(32);
    const second = raw.indexOf(32, first + 1);
    const third = raw.indexOf(32, second + 1);
    if (first < 0 || second < 0) return undefined;
    const time = raw.toString('latin1', 0, first);
    const stream = raw.toString('latin1', first + 1, second) === 'stderr' ? 2 : 1;
    const end = third < 0 ? raw.length : third;
    const full = raw[second + 1] === 0x46 /* F */;
    const content = raw.subarray(Math.min(end + 1, raw.length));
    const partial = this.#partial[stream];
    if (!full) {
      if (partial === undefined) this.#partial[stream] = { time, parts: [Buffer.from(content)], bytes: content.length };
      else {
        partial.parts.push(Buffer.from(content));
        partial.bytes += content.length;
        if (partial.bytes > MAX_JOINED) {
          this.#partial[stream] = undefined;
          return { time: partial.time, stream, data: Buffer.concat(partial.parts) };
        }
      }
      return undefined;
    }
    this.#partial[stream] = undefined;
    const parts = partial === undefined ? [content, NEWLINE] : [...partial.parts, content, NEWLINE];
    return { time: partial?.time ?? time, stream, data: Buffer.concat(parts) };
  }
}

/** conmon writes local time with an offset; Docker shows UTC with nine digits. */
export function utcTime(text: string): string {
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)$/.exec(text);
  if (match === null) return text;
  const seconds =
    match[3] === 'Z' || match[3] === '+00:00'
      ? match[1]!
      : new Date(`${match[1]}${match[3]}`).toISOString().slice(0, 19);
  return `${seconds}.${(match[2] ?? '').padEnd(9, '0')}Z`;
}
