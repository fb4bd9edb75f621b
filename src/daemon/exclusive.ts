import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import koffi from 'koffi';
import { conflict, isErrno } from '../common/index.ts';
import { alive, libc } from '../sys/index.ts';

const flock = libc.func('int flock(int, int)');
/** <sys/file.h> */
const LOCK_EX = 2;
const LOCK_NB = 4;
const EWOULDBLOCK = 11;

/** Keeps a root directory for this process; the kernel lets go of it with the process. Throws conflict if another has it. */
export function lockRoot(root: string): { release(): void } {
  mkdirSync(root, { recursive: true, mode: 0o711 });
  const path = join(root, 'daemon.lock');
  const fd = openSync(path, 'a+', 0o600);
  if (Number(flock(fd, LOCK_EX | LOCK_NB)) !== 0) {
    const errno = koffi.errno();
    const owner = readFileSync(path, 'utf8').trim();
    closeSync(fd);
    if (errno === EWOULDBLOCK)
      throw conflict(`${root} is in use by another gantryd${owner === '' ? '' : ` (pid ${owner})`}`);
    throw conflict(`cannot lock ${path}: errno ${errno}`);
  }
  writeFileSync(path, `${process.pid}\n`);
  return { release: () => closeSync(fd) };
}

/** Writes the pid file. A file of a process that is gone is replaced; one that lives is a conflict, as in dockerd. */
export function writePidfile(path: string): { remove(): void } {
  mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
  for (;;) {
    try {
      writeFileSync(path, String(process.pid), { flag: 'wx', mode: 0o644 });
      return {
        remove() {
          if (readPid(path) === process.pid) rmSync(path, { force: true });
        },
      };
    } catch (error) {
      if (!isErrno(error, 'EEXIST')) throw error;
    }
    const pid = readPid(path);
    if (pid !== undefined && pid !== process.pid && alive(pid) && isDaemon(pid))
      throw conflict(`failed to start daemon: process with PID ${pid} is still running (pid file ${path})`);
    rmSync(path, { force: true });
  }
}

function readPid(path: string): number | undefined {
  try {
    const text = readFileSync(path, 'utf8').trim();
    return /^\d+$/.test(text) ? Number(text) : undefined;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/** After a reboot or a crash the number may belong to any other program by now. */
function isDaemon(pid: number): boolean {
  try {
    const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
    return line.includes('gantryd') || line.includes('daemon/main');
  } catch {
    return false;
  }
}
