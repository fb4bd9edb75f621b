import { join } from 'node:path';
import type { Client, ClientOptions } from '../client/index.ts';
import { type ConfigFile, readConfig } from './config-file.ts';
import { resolveConnection } from './connection.ts';
import { ExitError, type FlagValues } from './spec.ts';

/** The terminal, the environment and the daemon of one call of the command line. */
export interface Cli {
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  readonly env: NodeJS.ProcessEnv;
  /** The global options. */
  readonly globals: FlagValues;
  readonly config: ConfigFile;
  /** Writes to stdout; waits while a slow reader keeps the pipe full. */
  print(text: string): void;
  /** Writes to stderr. */
  warn(text: string): void;
  /** Columns of the terminal, 80 where there is none. */
  readonly columns: number;
  /** True if colours may be written to this stream. */
  colours(stream: NodeJS.WriteStream): boolean;
  readonly connection: ClientOptions;
  client(): Promise<Client>;
}

/** Opens a session; nothing is read or connected before it is needed. */
export function openSession(globals: FlagValues, env: NodeJS.ProcessEnv): Cli {
  let config: ConfigFile | undefined;
  let connection: ClientOptions | undefined;
  let client: Promise<Client> | undefined;
  const session: Cli = {
    get stdin() {
      return process.stdin;
    },
    get stdout() {
      return process.stdout;
    },
    get stderr() {
      return process.stderr;
    },
    env,
    globals,
    get config() {
      config ??= readConfig(configDir(globals, env), session.warn);
      return config;
    },
    print: (text) => {
      process.stdout.write(text);
    },
    warn: (text) => {
      process.stderr.write(text);
    },
    get columns() {
      return process.stdout.columns || process.stderr.columns || 80;
    },
    colours: (stream) => Boolean(stream.isTTY) && (env.NO_COLOR ?? '') === '' && env.TERM !== 'dumb',
    get connection() {
      connection ??= initialized(() => resolveConnection(globals, env, session.config));
      return connection;
    },
    client: () => {
      client ??= import('../client/index.ts').then(({ createClient }) => {
        const { connection } = session;
        return initialized(() => createClient(connection));
      });
      return client;
    },
  };
  return session;
}

/** What keeps a client from being made is said as Docker says it. */
function initialized<T>(make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (error instanceof ExitError) throw error;
    const { message } = error as Error;
    const about = message.startsWith('failed to retrieve') ? '' : 'unable to resolve docker endpoint: ';
    throw new ExitError(1, `Failed to initialize: ${about}${message}`);
  }
}

/** `--config`, DOCKER_CONFIG or `~/.docker`. */
export const configDir = (globals: FlagValues, env: NodeJS.ProcessEnv): string =>
  globals.text('config') ||
  env.DOCKER_CONFIG ||
  join(env.HOME ?? process.getBuiltinModule('node:os').homedir(), '.docker');
