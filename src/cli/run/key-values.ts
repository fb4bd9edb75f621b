import { readFileSync } from 'node:fs';
import { fileError } from '../file-errors.ts';

/** Reads lines of `KEY=value` or `KEY`; the latter is looked up (docker/cli kvfile). Throws Error naming file and line. */
export function readKeyValueFile(path: string, lookUp: (key: string) => string | undefined): string[] {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    throw fileError(path, error);
  }
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const result: string[] = [];
  const lines: Buffer[] = [];
  for (let start = 0; start <= bytes.length; ) {
    const end = bytes.indexOf(10, start);
    lines.push(bytes.subarray(start, end < 0 ? bytes.length : end));
    if (end < 0) break;
    start = end + 1;
  }
  for (const [index, raw] of lines.entries()) {
    let line: string;
    try {
      line = decoder.decode(raw).replace(/\r$/, '').trimStart();
    } catch {
      throw new Error(`invalid env file (${path}): line ${index + 1}: invalid utf8 bytes`);
    }
    if (line === '' || line.startsWith('#')) continue;
    const cut = line.indexOf('=');
    const key = cut < 0 ? line : line.slice(0, cut);
    if (key === '') throw new Error(`invalid env file (${path}): no variable name on line '${line}'`);
    if (/\s/.test(key)) throw new Error(`invalid env file (${path}): variable '${key}' contains whitespaces`);
    if (cut >= 0) result.push(line);
    else {
      const value = lookUp(key);
      if (value !== undefined) result.push(`${key}=${value}`);
    }
  }
  return result;
}

/** `-e K=V` or `-e K`, which takes the caller's value. */
export function environmentValue(value: string, env: NodeJS.ProcessEnv): string {
  const cut = value.indexOf('=');
  if (value === '' || cut === 0) throw new Error(`invalid environment variable: ${value}`);
  if (cut > 0) return value;
  const own = env[value];
  return own === undefined ? value : `${value}=${own}`;
}

/** `k=v` texts as a map; a lone key has an empty value. */
export function toMap(values: readonly string[]): Record<string, string> {
  const map: Record<string, string> = {};
  for (const value of values) {
    const cut = value.indexOf('=');
    map[cut < 0 ? value : value.slice(0, cut)] = cut < 0 ? '' : value.slice(cut + 1);
  }
  return map;
}
