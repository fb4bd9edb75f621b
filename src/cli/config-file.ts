import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileError } from './file-errors.ts';

/** `config.json` of the Docker CLI, the keys that mean something here. What else it holds is kept as it is. */
export interface ConfigData {
  auths?: Record<
    string,
    { auth?: string; username?: string; password?: string; identitytoken?: string; registrytoken?: string }
  >;
  credsStore?: string;
  credHelpers?: Record<string, string>;
  HttpHeaders?: Record<string, string>;
  currentContext?: string;
  detachKeys?: string;
  aliases?: Record<string, string>;
  proxies?: Record<
    string,
    { httpProxy?: string; httpsProxy?: string; noProxy?: string; ftpProxy?: string; allProxy?: string }
  >;
  psFormat?: string;
  imagesFormat?: string;
  networksFormat?: string;
  pluginsFormat?: string;
  volumesFormat?: string;
  statsFormat?: string;
  pruneFilters?: string[];
  cliPluginsExtraDirs?: string[];
  [other: string]: unknown;
}

export interface ConfigFile {
  /** The folder of config.json, contexts and certificates. */
  readonly dir: string;
  readonly data: ConfigData;
  /** Replaces the file; its mode is 0600, for it may hold credentials. */
  save(): void;
}

const TEXTS = [
  'credsStore',
  'currentContext',
  'detachKeys',
  'psFormat',
  'imagesFormat',
  'networksFormat',
  'pluginsFormat',
  'volumesFormat',
  'statsFormat',
] as const;
const LISTS = ['pruneFilters', 'cliPluginsExtraDirs'] as const;
const MAPS = ['auths', 'credHelpers', 'HttpHeaders', 'aliases', 'proxies'] as const;

const goKind = (value: unknown): string =>
  Array.isArray(value) ? 'array' : value === null ? 'null' : typeof value === 'boolean' ? 'bool' : typeof value;

const isTexts = (value: unknown): boolean =>
  Array.isArray(value) && value.every((element) => typeof element === 'string');

/** Drops what has a wrong type, for which `warn` is called once; the rest of the file counts, as in Docker. */
function checked(data: ConfigData, warn: (why: string) => void): ConfigData {
  let complaint: string | undefined;
  const drop = (key: string, want: string): void => {
    const kind = goKind(data[key]);
    complaint ??= `json: cannot unmarshal ${kind} into Go struct field ConfigFile.${key} of type ${want}`;
    delete data[key];
  };
  for (const key of TEXTS) if (data[key] !== undefined && typeof data[key] !== 'string') drop(key, 'string');
  for (const key of MAPS) if (data[key] !== undefined && goKind(data[key]) !== 'object') drop(key, 'map[string]string');
  for (const key of LISTS) if (data[key] !== undefined && !isTexts(data[key])) drop(key, '[]string');
  for (const { auth } of Object.values(data.auths ?? {})) if (auth) complaint ??= wrongAuth(auth);
  if (complaint !== undefined) warn(complaint);
  return data;
}

function wrongAuth(auth: string): string | undefined {
  const bad = /[^A-Za-z0-9+/=]/.exec(auth);
  if (bad) return `illegal base64 data at input byte ${bad.index}`;
  return Buffer.from(auth, 'base64').includes(':') ? undefined : 'Invalid auth configuration file';
}

/** Reads the configuration; a missing file is an empty one. What cannot be understood is warned about, as in Docker, and does not count. */
export function readConfig(dir: string, warn: (text: string) => void): ConfigFile {
  const path = join(dir, 'config.json');
  const complain = (why: string): void => warn(`WARNING: Error parsing config file (${path}): ${why}\n`);
  let data: ConfigData = {};
  let unreadable = false;
  try {
    const text = readFileSync(path, 'utf8');
    const parsed: unknown = (text.trim() === '' ? undefined : JSON.parse(text)) ?? {};
    if (goKind(parsed) !== 'object')
      throw new SyntaxError(`json: cannot unmarshal ${goKind(parsed)} into Go value of type configfile.ConfigFile`);
    data = checked(parsed as ConfigData, complain);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    unreadable = code !== 'ENOENT' && code !== 'ENOTDIR';
    if (unreadable) complain(error instanceof SyntaxError ? error.message : fileError(path, error).message);
  }
  return {
    dir,
    data,
    save() {
      // What is in a file that cannot be read would be lost.
      if (unreadable)
        throw new Error(`${path} is not replaced, because it could not be read: repair or remove it first`);
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      const temporary = `${path}.${process.pid}`;
      writeFileSync(temporary, `${JSON.stringify(data, null, '\t')}\n`, { mode: 0o600 });
      renameSync(temporary, path);
    },
  };
}
