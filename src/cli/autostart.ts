import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, openSync } from 'node:fs';
import net from 'node:net';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DEFAULT_HOST } from './connection.ts';
import type { Cli } from './session.ts';

/** How long a daemon may take until it listens. */
const PATIENCE_MS = 20_000;
const LOG_FILE = '/run/gantry/gantryd.log';

/**
 * Starts gantryd if the command meant the default local socket and nobody listens there; true once it answers.
 * GANTRY_NO_AUTOSTART=1 turns it off.
 */
export async function startDaemon(cli: Cli, error: { reason: string; url: string }): Promise<boolean> {
  if (error.reason !== 'absent' || error.url !== DEFAULT_HOST) return false;
  if ((cli.env.GANTRY_NO_AUTOSTART ?? '') !== '') return false;
  if (process.getuid?.() !== 0) {
    cli.warn('gantryd is not running and only root can start it: try sudo, or systemctl start gantryd\n');
    return false;
  }
  const program = daemonProgram();
  if (program === undefined) return false;
  cli.warn(`gantry: no daemon answers at ${DEFAULT_HOST}; starting gantryd (log: ${LOG_FILE})\n`);
  mkdirSync(dirname(LOG_FILE), { recursive: true, mode: 0o711 });
  const log = openSync(LOG_FILE, 'a', 0o600);
  const child = spawn(program, [], { detached: true, stdio: ['ignore', log, log], cwd: '/' });
  let ended: string | undefined;
  child.on('error', (cause) => {
    ended = cause.message;
  });
  child.on('exit', (code, signal) => {
    ended = `it ended with ${signal ?? code}`;
  });
  child.unref();
  const path = DEFAULT_HOST.slice('unix://'.length);
  const until = Date.now() + PATIENCE_MS;
  while (Date.now() < until && ended === undefined) {
    if (existsSync(path) && (await listens(path))) return true;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  cli.warn(
    `gantry: gantryd did not start: ${ended ?? `it does not answer after ${PATIENCE_MS / 1000} s`}; see ${LOG_FILE}\n`,
  );
  return false;
}

/** bin/gantryd beside this program: two folders up from dist/, three from src/cli. */
function daemonProgram(): string | undefined {
  const here = dirname(fileURLToPath(import.meta.url));
  return ['../bin/gantryd', '../../bin/gantryd', '../../../bin/gantryd']
    .map((path) => join(here, path))
    .find((path) => existsSync(path));
}

function listens(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect({ path });
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}
