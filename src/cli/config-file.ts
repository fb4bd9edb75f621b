import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

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
  [other: string]: unknown;
}

export interface ConfigFile {
  /** The folder of config.json, contexts and certificates. */
  readonly dir: string;
  readonly data: ConfigData;
  /** Replaces the file; its mode is 0600, for it may hold credentials. */
  save(): void;
}

/** Reads the configuration; a missing file is an empty one. Throws Error naming the file if it is no JSON. */
export function readConfig(dir: string): ConfigFile {
  const path = join(dir, 'config.json');
  let data: ConfigData = {};
  try {
    const text = readFileSync(path, 'utf8');
    const parsed: unknown = text.trim() === '' ? {} : JSON.parse(text);
    if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) throw new SyntaxError('not an object');
    data = parsed as ConfigData;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code !== 'ENOENT' && code !== 'ENOTDIR') {
      if (error instanceof SyntaxError) throw new Error(`loading config file: ${path}: ${error.message}`);
      throw error;
    }
  }
  return {
    dir,
    data,
    save() {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      const temporary = `${path}.${process.pid}`;
      writeFileSync(temporary, `${JSON.stringify(data, null, '\t')}\n`, { mode: 0o600 });
      renameSync(temporary, path);
    },
  };
}
