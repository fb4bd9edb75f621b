/** Structured log lines (one JSON object a line, or `key=value` text as dockerd writes), to a stream given once. */
export const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const;
export type LogLevel = (typeof LEVELS)[number];
export type Fields = Record<string, unknown>;

export interface Logger {
  debug(message: string, fields?: Fields): void;
  info(message: string, fields?: Fields): void;
  warn(message: string, fields?: Fields): void;
  error(message: string, fields?: Fields): void;
  /** A logger that adds these fields to each line. */
  with(fields: Fields): Logger;
}

export interface LogSink {
  level: LogLevel;
  format: 'text' | 'json';
  write(line: string): void;
}

const printable = (value: unknown): unknown => (value instanceof Error ? value.message : value);

function render(sink: LogSink, level: LogLevel, msg: string, fields: Fields): string {
  const time = new Date().toISOString();
  const entries = Object.entries(fields).map(([key, value]) => [key, printable(value)] as const);
  if (sink.format === 'json') return `${JSON.stringify({ ...Object.fromEntries(entries), level, msg, time })}\n`;
  const text = (value: unknown) => JSON.stringify(typeof value === 'string' ? value : (JSON.stringify(value) ?? ''));
  const rest = entries.map(([key, value]) => ` ${key}=${text(value)}`).join('');
  return `time="${time}" level=${level} msg=${JSON.stringify(msg)}${rest}\n`;
}

/** The level is read from the sink at each line, so that a reload can change it. */
export function createLogger(sink: LogSink, base: Fields = {}): Logger {
  const at =
    (level: LogLevel) =>
    (message: string, fields: Fields = {}) => {
      if (LEVELS.indexOf(level) >= LEVELS.indexOf(sink.level))
        sink.write(render(sink, level, message, { ...base, ...fields }));
    };
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    with: (fields) => createLogger(sink, { ...base, ...fields }),
  };
}

export const silentLogger: Logger = createLogger({ level: 'fatal', format: 'text', write: () => {} });
