import {
  internal,
  invalid,
  messageOf,
  notGoBool,
  parseBytes,
  parseDecimalBytes,
  parseGoBool,
} from '../../common/index.ts';
import type { HostConfig } from '../../wire/index.ts';

type LogConfig = HostConfig['LogConfig'];

const COMMON = ['mode', 'max-buffer-size'];
const OPTIONS: Record<string, { keys: readonly string[]; unknown: (key: string) => string }> = {
  'json-file': {
    keys: ['max-size', 'max-file', 'compress', 'labels', 'labels-regex', 'env', 'env-regex', 'tag', ...COMMON],
    unknown: (key) => `unknown log opt '${key}' for json-file log driver`,
  },
  local: {
    keys: ['max-size', 'max-file', 'compress', ...COMMON],
    unknown: (key) => `unknown log opt '${key}' for log driver local`,
  },
};

/** What create refuses, in Docker's words: unknown drivers and options, and modes (moby daemon/logger/factory.go). */
export function checkLogConfig(config: LogConfig): void {
  const driver = config?.Type || 'json-file';
  if (driver === 'none') return;
  const known = OPTIONS[driver];
  if (known === undefined) throw invalid(`error looking up logging plugin ${driver}: plugin "${driver}" not found`);
  const options = config?.Config ?? {};
  const { mode = '', 'max-buffer-size': buffer } = options;
  if (!['', 'blocking', 'non-blocking'].includes(mode)) throw invalid(`logger: logging mode not supported: ${mode}`);
  if (buffer !== undefined) {
    if (mode !== 'non-blocking')
      throw invalid("logger: max-buffer-size option is only supported with 'mode=non-blocking'");
    try {
      parseBytes(buffer);
    } catch (error) {
      throw invalid(`error parsing option max-buffer-size: ${messageOf(error)}`);
    }
  }
  for (const key of Object.keys(options)) if (!known.keys.includes(key)) throw invalid(known.unknown(key));
}

export interface Rotation {
  /** Bytes after which a file is closed; undefined: never. */
  maxBytes: number | undefined;
  /** The one written to included. */
  maxFiles: number;
  compress: boolean;
}

/** Docker's defaults of the local driver (moby daemon/logger/local): five compressed files of 20 MB. */
const LOCAL: Rotation = { maxBytes: 20 * 1000 ** 2, maxFiles: 5, compress: true };

/** Limits of a log. Values that Docker refuses when it starts the container are refused here, with its message. */
export function rotationOf(config: LogConfig): Rotation {
  const options = config?.Config ?? {};
  return config?.Type === 'local' ? localRotation(options) : jsonFileRotation(options);
}

function jsonFileRotation(options: Record<string, string>): Rotation {
  const { 'max-size': size, 'max-file': files, compress } = options;
  const maxBytes = size === undefined ? undefined : sizeOf(size);
  if (maxBytes === 0) throw refused('max-size must be a positive number');
  const maxFiles = files === undefined ? 1 : integer(files);
  if (maxFiles < 1) throw refused('max-file cannot be less than 1');
  const compressed = compress !== undefined && boolean(compress);
  if (compressed && (maxFiles === 1 || maxBytes === undefined))
    throw refused('compress cannot be true when max-file is less than 2 or max-size is not set');
  return { maxBytes, maxFiles, compress: compressed };
}

function localRotation(options: Record<string, string>): Rotation {
  const { 'max-size': size, 'max-file': files, compress } = options;
  const maxBytes = size === undefined ? LOCAL.maxBytes : sizeOf(size, `invalid value for max-size: ${size}: `);
  if (maxBytes === 0) throw refused('max size must be greater than 0');
  const maxFiles = files === undefined ? LOCAL.maxFiles : integer(files, 'invalid value for max-file: ');
  if (maxFiles < 0) throw refused('max file count must be greater than 0');
  const compressed = compress === undefined ? LOCAL.compress : boolean(compress, 'error reading compress log option: ');
  if (compressed && maxFiles <= 1) throw refused('compression cannot be enabled when max file count is 1');
  return { maxBytes, maxFiles: Math.max(1, maxFiles), compress: compressed };
}

/** An error of the driver's own start, in the words that clients see. */
export const refused = (what: string) =>
  internal(`failed to create task for container: failed to initialize logging driver: ${what}`);

function sizeOf(text: string, prefix = ''): number {
  try {
    return parseDecimalBytes(text);
  } catch (error) {
    throw refused(`${prefix}${messageOf(error)}`);
  }
}

function integer(text: string, prefix = ''): number {
  if (!/^[+-]?\d+$/.test(text)) throw refused(`${prefix}strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`);
  return Number(text);
}

function boolean(text: string, prefix = ''): boolean {
  const value = parseGoBool(text);
  if (value === undefined) throw refused(`${prefix}${notGoBool(text)}`);
  return value;
}
