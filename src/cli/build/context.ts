import { existsSync, readFileSync, statSync } from 'node:fs';
import { join, relative, resolve, sep } from 'node:path';
import type { Directory } from './files.ts';
import { ignoreFile } from './walk.ts';

/** A directory as a context; `inside`: its Dockerfile is one of its files. Throws Error with Docker's words. */
export function openDirectory(
  path: string,
  dockerfile: string,
  stdinDockerfile?: string,
): { directory: Directory; inside: boolean } {
  const root = resolve(path);
  const fail = (why: string) => new Error(`unable to prepare context: ${why}`);
  if (!existsSync(root)) throw fail(`path ${JSON.stringify(path)} not found`);
  if (!statSync(root).isDirectory()) throw fail(`context must be a directory: ${path}`);
  if (stdinDockerfile !== undefined) {
    const directory = {
      root,
      dockerfile: { name: '-', text: stdinDockerfile },
      ignoreFile: ignoreFile(root, undefined),
    };
    return { directory, inside: false };
  }
  const file = dockerfile === '' ? defaultDockerfile(root) : resolve(dockerfile);
  if (!existsSync(file))
    throw fail(`unable to evaluate symlinks in Dockerfile path: lstat ${file}: no such file or directory`);
  if (!statSync(file).isFile()) throw new Error(`failed to read Dockerfile ${file}: not a regular file`);
  const name = relative(root, file).split(sep).join('/');
  const inside = !name.startsWith('../') && name !== '..';
  return {
    directory: {
      root,
      dockerfile: { name, text: readFileSync(file, 'utf8') },
      ignoreFile: ignoreFile(root, file),
    },
    inside,
  };
}

const defaultDockerfile = (root: string): string => {
  const lower = join(root, 'dockerfile');
  return !existsSync(join(root, 'Dockerfile')) && existsSync(lower) ? lower : join(root, 'Dockerfile');
};

/** True for contexts that the daemon fetches: URLs and git repositories. */
export const isRemoteContext = (text: string): boolean =>
  /^(?:https?:\/\/|git:\/\/|ssh:\/\/|git@|github\.com\/)/.test(text) && !existsSync(text);
