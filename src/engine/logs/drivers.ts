import { invalid, parseBytes } from '../../common/index.ts';
import type { HostConfig } from '../../wire/index.ts';

const COMMON = ['mode', 'max-buffer-size'];
const OPTIONS: Record<string, readonly string[]> = {
  'json-file': ['max-size', 'max-file', 'compress', 'labels', 'labels-regex', 'env', 'env-regex', 'tag', ...COMMON],
  local: ['max-size', 'max-file', 'compress', ...COMMON],
  none: [],
};

/** Refuses unknown drivers and options in Docker's words. */
export function checkLogConfig(config: HostConfig['LogConfig']): void {
  const driver = config?.Type || 'json-file';
  const allowed = OPTIONS[driver];
  if (allowed === undefined) throw invalid(`error looking up logging plugin ${driver}: plugin "${driver}" not found`);
  for (const key of Object.keys(config?.Config ?? {}))
    if (!allowed.includes(key)) throw invalid(`unknown log opt '${key}' for ${driver} log driver`);
}

export interface Rotation {
  /** Bytes after which a file is closed; undefined: never. */
  maxBytes: number | undefined;
  maxFiles: number;
}

/** Limits of a log; Docker's defaults: json-file grows without end, local keeps five files of 20 MB. */
export function rotationOf(config: HostConfig['LogConfig']): Rotation {
  const local = config?.Type === 'local';
  const size = config?.Config?.['max-size'];
  const files = Number(config?.Config?.['max-file'] ?? (local ? 5 : 1));
  return {
    maxBytes: size === undefined || size === '-1' ? (local ? 20 * 1000 ** 2 : undefined) : parseBytes(size),
    maxFiles: Math.max(1, Number.isInteger(files) ? files : 1),
  };
}
