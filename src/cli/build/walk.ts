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

/**
 * What a directory has, without what is ignored but for `needed`; parents first, ignored ones too if something in them is not. Sockets and devices are none of it,
 * as in Docker.
 */
export function* walkContext(
  root: string,
  rules: IgnoreMatcher | undefined,
  needed: ReadonlySet<string> = new Set(),
): Generator<Found> {
  /** Ignored directories on the way, told with the first thing in them. */
  const above: Found[] = [];
  function* tell(found: Found): Generator<Found> {
    yield* above.splice(0);
    yield found;
  }
  function* walk(directory: string): Generator<Found> {
    for (const name of readdirSync(pathBelow(root, directory), { encoding: 'latin1' }).sort()) {
      const path = directory === '' ? name : `${directory}/${name}`;
      const text = Buffer.from(path, 'latin1').toString();
      const ignored = rules !== undefined && !needed.has(text) && rules.excludes(text);
      const stat = lstatSync(pathBelow(root, path));
      if (stat.isDirectory()) {
        const found = { path, stat };
        if (ignored) above.push(found);
        else yield* tell(found);
        const below = !ignored || rules.mayHoldExceptions(text);
        if (below || [...needed].some((file) => file.startsWith(`${text}/`))) yield* walk(path);
        if (above.at(-1) === found) above.pop();
      } else if (!ignored && (stat.isFile() || stat.isSymbolicLink())) yield* tell({ path, stat });
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
