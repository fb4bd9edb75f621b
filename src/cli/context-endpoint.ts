import { readFileSync } from 'node:fs';
import { notGoBool, parseGoBool } from '../common/index.ts';
import { defaultHost, resolveConnection } from './connection.ts';
import { type ContextMeta, ContextStore, type TlsFiles } from './contexts.ts';
import { fileError } from './file-errors.ts';
import { splitCsv } from './flag-values.ts';
import { FlagError } from './parse-flags.ts';
import type { Cli } from './session.ts';
import { checkTls } from './tls-material.ts';

/** What `context create --docker` and `update` say in their help. */
export const ENDPOINT_HELP = `Docker endpoint config:

NAME                DESCRIPTION
from                Copy named context's Docker endpoint configuration
host                Docker endpoint on which to connect
ca                  Trust certs signed only by this CA
cert                Path to TLS certificate file
key                 Path to TLS key file
skip-tls-verify     Skip TLS certificate validation`;

export interface ContextEndpoint {
  docker: NonNullable<ContextMeta['Endpoints']['docker']>;
  tls: TlsFiles;
}

/** `host=…,ca=…,cert=…,key=…,skip-tls-verify=…` or `from=NAME`. Throws Error with Docker's words. */
export function parseEndpointFlag(cli: Cli, values: readonly string[]): ContextEndpoint {
  const options: Record<string, string> = {};
  for (const field of values.flatMap(splitCsv)) {
    const cut = field.indexOf('=');
    if (cut < 0)
      throw new FlagError(
        `invalid argument ${JSON.stringify(field)} for "--docker" flag: ${field} must be formatted as key=value`,
      );
    const key = field.slice(0, cut);
    if (!['from', 'host', 'ca', 'cert', 'key', 'skip-tls-verify'].includes(key))
      throw configError(`unrecognized config key: ${key}`);
    options[key] = field.slice(cut + 1);
  }
  if (options.from !== undefined) return endpointOf(cli, options.from);
  const tls: TlsFiles = {};
  for (const [key, file] of [
    ['ca', 'ca.pem'],
    ['cert', 'cert.pem'],
    ['key', 'key.pem'],
  ] as const)
    if (options[key]) tls[file] = read(options[key]!);
  const skip = options['skip-tls-verify'] ?? '';
  if (skip !== '' && parseGoBool(skip) === undefined)
    throw configError(`unable to parse skip-tls-verify: ${notGoBool(skip)}`);
  try {
    checkTls({ ca: tls['ca.pem'], cert: tls['cert.pem'], key: tls['key.pem'], verify: true });
  } catch (error) {
    throw configError(`invalid docker endpoint options: ${(error as Error).message}`);
  }
  return {
    docker: { ...(options.host ? { Host: options.host } : {}), SkipTLSVerify: parseGoBool(skip) === true },
    tls,
  };
}

const configError = (message: string): Error => new Error(`unable to create docker endpoint config: ${message}`);

function read(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw configError(fileError(path, error).message);
  }
}

/** The endpoint that a context has; that of `default` is what the environment says now. */
export function endpointOf(cli: Cli, name: string): ContextEndpoint {
  if (name === 'default') {
    const { tls } = resolveConnection(cli.globals, cli.env, cli.config);
    const files: TlsFiles = {};
    if (tls?.ca) files['ca.pem'] = Buffer.from(tls.ca);
    if (tls?.cert) files['cert.pem'] = Buffer.from(tls.cert);
    if (tls?.key) files['key.pem'] = Buffer.from(tls.key);
    return {
      docker: { Host: defaultHost(cli.globals, cli.env), SkipTLSVerify: tls !== undefined && !tls.verify },
      tls: files,
    };
  }
  const store = new ContextStore(cli.config.dir);
  const { docker } = store.get(name).Endpoints;
  return { docker: docker ?? { SkipTLSVerify: false }, tls: store.tls(name) };
}
