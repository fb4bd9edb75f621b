import { existsSync, lstatSync, readdirSync, readFileSync, type Stats } from 'node:fs';
import { join } from 'node:path';
import type { IgnoreMatcher } from '../../dockerfile/index.ts';

/** A directory, file or link of a context. `path` is a byte string (one character a byte): names need not be UTF-8. */
export interface Found {
  path: string;
  stat: Stats;
}

/** For the system: a path below `root` whose name is a byte string. */
export const pathBelow = (root: string, path: string): string | Buffer =>
  /[^\0-\x7f]/.test(path) ? Buffer.concat([Buffer.from(`${root}/`), Buffer.from(path, 'latin1')]) : `${root}/${path}`;

/** What a directory has, without what is ignored but for `needed`; parents first. Sockets and devices are none of it, as in Docker. */
export function* walkContext(
  root: string,
  rules: IgnoreMatcher | undefined,
  needed: ReadonlySet<string> = new Set(),
): Generator<Found> {
  function* walk(directory: string): Generator<Found> {
    for (const name of readdirSync(pathBelow(root, directory), { encoding: 'latin1' }).sort()) {
      const path = directory === '' ? name : `${directory}/${name}`;
      const text = Buffer.from(path, 'latin1').toString();
      const ignored = rules !== undefined && !needed.has(text) && rules.excludes(text);
      const stat = lstatSync(pathBelow(root, path));
      if (stat.isDirectory()) {
        if (!ignored) yield { path, stat };
        const below = !ignored || rules.mayHoldExceptions(text);
        if (below || [...needed].some((file) => file.startsWith(`${text}/`))) yield* walk(path);
      } else if (!ignored && (stat.isFile() || stat.isSymbolicLink())) yield { path, stat };
    }
  }
  yield* walk('');
}

/** `NAME.dockerignore` beside the Dockerfile comes before the context's own. */
export const ignoreFile = (root: string, dockerfile: string | undefined): string | undefined =>
  [...(dockerfile === undefined ? [] : [`${dockerfile}.dockerignore`]), join(root, '.dockerignore')].find((file) =>
    existsSync(file),
  );

export async function ignoreRules(file: string | undefined): Promise<IgnoreMatcher | undefined> {
  if (file === undefined) return undefined;
  const { IgnoreMatcher, readIgnoreFile } = await import('../../dockerfile/index.ts');
  return new IgnoreMatcher(readIgnoreFile(readFileSync(file, 'utf8')));
}
