import { execFile, spawn } from 'node:child_process';
import { accessSync, constants, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { contextName, DEFAULT_HOST, defaultHost } from './connection.ts';
import type { Cli } from './session.ts';

/**
 * Docker's command-line plugins (`docker-compose`, …): programs `docker-NAME` that get the whole command line (docker/cli
 * cli-plugins/manager). Gantry runs them as they are; without a word on the daemon they reach this machine's.
 */
const NAME = /^[a-z][a-z0-9]*$/;
const SYSTEM_DIRECTORIES = ['/usr/local/lib', '/usr/local/libexec', '/usr/lib', '/usr/libexec'].map(
  (base) => `${base}/docker/cli-plugins`,
);

const directories = ({ config }: Cli): string[] => [
  ...(config.data.cliPluginsExtraDirs ?? []),
  join(config.dir, 'cli-plugins'),
  ...SYSTEM_DIRECTORIES,
];

/** The program of a plugin, or undefined if there is none of this name. */
export function findPlugin(cli: Cli, name: string): string | undefined {
  if (!NAME.test(name)) return undefined;
  return directories(cli)
    .map((directory) => join(directory, `docker-${name}`))
    .find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Runs a plugin in this process's place; resolves to its exit code, 128 and the signal's number if one ended it. */
export function runPlugin(cli: Cli, program: string, argv: readonly string[]): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const child = spawn(program, argv, { stdio: 'inherit', env: environment(cli) });
  // A terminal sends its signals to both; what is sent to this process alone is the plugin's too.
  const stay = (): void => {};
  const pass = (signal: NodeJS.Signals): void => void child.kill(signal);
  process.on('SIGINT', stay).on('SIGQUIT', stay).on('SIGTERM', pass).on('SIGHUP', pass);
  child.on('error', reject);
  child.on('exit', (code, signal) =>
    resolve(code ?? 128 + process.getBuiltinModule('node:os').constants.signals[signal!]),
  );
  return promise;
}

function environment({ env, globals, config }: Cli): NodeJS.ProcessEnv {
  const variables = { ...env, DOCKER_CLI_PLUGIN_ORIGINAL_CLI_COMMAND: process.argv[1] };
  const own = contextName(globals, env, config) === 'default' && defaultHost(globals, env) === DEFAULT_HOST;
  // gantryd has the classic builder alone.
  return own ? { DOCKER_BUILDKIT: '0', ...variables, DOCKER_HOST: DEFAULT_HOST } : variables;
}

/** Names and descriptions of all plugins, of those that answer within a second. */
export async function listPlugins(cli: Cli): Promise<{ name: string; short: string }[]> {
  const files = directories(cli).flatMap(namesIn);
  const names = new Set(files.flatMap((file) => /^docker-(.+)$/.exec(file)?.[1] ?? []));
  const described = await Promise.all(
    [...names].sort().map(async (name) => {
      const program = findPlugin(cli, name);
      return { name: `${name}*`, short: program === undefined ? undefined : await describe(program) };
    }),
  );
  return described.flatMap(({ name, short }) => (short === undefined ? [] : [{ name, short }]));
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

async function describe(program: string): Promise<string | undefined> {
  try {
    const { stdout } = await promisify(execFile)(program, ['docker-cli-plugin-metadata'], { timeout: 1000 });
    const { ShortDescription: short } = JSON.parse(stdout) as { ShortDescription?: unknown };
    return typeof short === 'string' ? short : '';
  } catch {
    return undefined;
  }
}
