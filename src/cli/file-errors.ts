/** What Go says where Node says `ENOENT: no such file or directory, open '…'`. */
const WORDS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or directory',
  EACCES: 'permission denied',
  EPERM: 'operation not permitted',
  EEXIST: 'file exists',
  EISDIR: 'is a directory',
  ENOTDIR: 'not a directory',
  ELOOP: 'too many levels of symbolic links',
  ENAMETOOLONG: 'file name too long',
  ENOSPC: 'no space left on device',
  EROFS: 'read-only file system',
};

/** `open PATH: no such file or directory`; a folder is found out by reading it. */
export function fileError(path: string, error: unknown, action = 'open'): Error {
  const { code = '', message } = error as NodeJS.ErrnoException;
  const verb = code === 'EISDIR' && action === 'open' ? 'read' : action;
  return new Error(`${verb} ${path}: ${WORDS[code] ?? message}`, { cause: error });
}

/** The same for an error of the operating system that nobody has put into words; undefined for other errors. */
export function systemWords(error: Error): string | undefined {
  const { code = '', syscall, path } = error as NodeJS.ErrnoException;
  const words = WORDS[code];
  if (syscall === undefined || words === undefined) return undefined;
  return `${syscall}${path === undefined ? '' : ` ${path}`}: ${words}`;
}
