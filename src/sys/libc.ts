import { getSystemErrorMap } from 'node:util';
import koffi from 'koffi';

/**
 * The C library, loaded once. System calls return -1 and set errno; `check` turns that into a Node-like system error
 * (`code`, `syscall`), so callers test `isErrno(error, 'ENOENT')` as for node:fs.
 */
export const libc = koffi.load(libcName());

function libcName(): string {
  const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } };
  return header.glibcVersionRuntime === undefined
    ? `libc.musl-${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}.so.1`
    : 'libc.so.6';
}

const names = new Map([...getSystemErrorMap()].map(([number, [name]]) => [-number, name]));

/** The error for an errno value. */
export function sysError(errno: number, syscall: string, path?: string): NodeJS.ErrnoException {
  const code = names.get(errno) ?? `E${errno}`;
  const text = getSystemErrorMap().get(-errno)?.[1] ?? 'unknown error';
  const error: NodeJS.ErrnoException = new Error(
    `${code}: ${text}, ${syscall}${path === undefined ? '' : ` '${path}'`}`,
  );
  error.code = code;
  error.errno = -errno;
  error.syscall = syscall;
  if (path !== undefined) error.path = path;
  return error;
}

/** Returns the result of a call, or throws its errno. Call it right after, with nothing in between. */
export function check(result: number | bigint, syscall: string, path?: string): number {
  if (Number(result) < 0) throw sysError(koffi.errno(), syscall, path);
  return Number(result);
}
