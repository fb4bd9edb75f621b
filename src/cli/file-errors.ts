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
