import { readFileSync } from 'node:fs';
import { invalid, isErrno, parseBytes } from '../common/index.ts';
import { nameOf, OPTIONS, type OptionKind, type OptionSpec, type OptionValue } from './options.ts';

/** Command-line lists whose daemon.json form has another shape; giving both is a conflict all the same. */
const TWINS: Record<string, string> = {
  'add-runtime': 'runtimes',
  'default-address-pool': 'default-address-pools',
  'default-network-opt': 'default-network-opts',
  'default-ulimit': 'default-ulimits',
  'http-proxy': 'proxies',
  'https-proxy': 'proxies',
  'no-proxy': 'proxies',
};

/**
 * Reads a daemon.json: Docker's keys, checked. Unknown keys and those that a flag sets too are errors that name them. A file that is
 * not there counts as empty unless it was asked for.
 */
export function readConfigFile(path: string, flags: ReadonlyMap<string, OptionValue>): Map<string, OptionValue> {
  const fail = (why: string) => invalid(`unable to configure the daemon with file ${path}: ${why}`);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT') && !flags.has('config-file')) return new Map();
    throw fail(isErrno(error, 'ENOENT') ? `open ${path}: no such file or directory` : (error as Error).message);
  }
  if (text.trim() === '') return new Map();
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw fail(`invalid JSON: ${(error as Error).message}`);
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed))
    throw fail('invalid JSON: an object is needed');
  return checkConfig(parsed as Record<string, unknown>, flags, fail);
}

/** Checks an object with the keys of daemon.json. */
export function checkConfig(
  config: Record<string, unknown>,
  flags: ReadonlyMap<string, OptionValue>,
  fail: (why: string) => Error,
): Map<string, OptionValue> {
  const entries = Object.entries(config).filter(([, value]) => value !== null && value !== undefined);
  const specs = new Map(OPTIONS.filter(({ key }) => key !== undefined).map((spec) => [spec.key as string, spec]));
  const unknown = entries.map(([key]) => key).filter((key) => !specs.has(key));
  if (unknown.length > 0)
    throw fail(`the following directives don't match any configuration option: ${unknown.join(', ')}`);
  const conflicts = entries.flatMap(([key, value]) =>
    [key, ...Object.keys(TWINS).filter((flag) => TWINS[flag] === key)]
      .filter((name) => flags.has(name))
      .map((name) => `${key}: (from flag: ${show(flags.get(name))}, from file: ${show(value)})`),
  );
  if (conflicts.length > 0)
    throw fail(
      `the following directives are specified both as a flag and in the configuration file: ${conflicts.join(', ')}`,
    );
  return new Map(entries.map(([key, value]) => [key, checked(specs.get(key) as OptionSpec, value, fail)]));
}

const show = (value: unknown): string =>
  typeof value === 'string' ? value : Array.isArray(value) ? `[${value.join(' ')}]` : JSON.stringify(value);

const isStrings = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((item) => typeof item === 'string');
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function checked(spec: OptionSpec, value: unknown, fail: (why: string) => Error): OptionValue {
  const wrong = (type: string) => {
    const kind = Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value;
    return fail(
      `invalid JSON: json: cannot unmarshal ${kind} into Go struct field Config.${nameOf(spec)} of type ${type}`,
    );
  };
  const readers: Record<OptionKind, () => OptionValue> = {
    bool: () => {
      if (typeof value !== 'boolean') throw wrong('bool');
      return value;
    },
    int: () => {
      if (typeof value !== 'number' || !Number.isInteger(value)) throw wrong('int');
      return value;
    },
    string: () => {
      if (typeof value !== 'string') throw wrong('string');
      return value;
    },
    bytes: () => {
      if (typeof value === 'number' && Number.isInteger(value)) return value;
      if (typeof value === 'string') return parseBytes(value);
      throw wrong('int64');
    },
    list: () => {
      if (!isStrings(value)) throw wrong('[]string');
      return value;
    },
    map: () => {
      if (!isObject(value)) throw wrong('map[string]string');
      return Object.fromEntries(
        Object.entries(value).map(([key, item]) => {
          if (typeof item !== 'string' && typeof item !== 'boolean' && typeof item !== 'number')
            throw wrong('map[string]string');
          return [key, String(item)];
        }),
      );
    },
    json: () => value,
  };
  return readers[spec.kind]();
}
