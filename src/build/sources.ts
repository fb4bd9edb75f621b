import { readdirSync } from 'node:fs';
import { join, posix } from 'node:path';
import { invalid } from '../common/index.ts';
import { compileFileMatch, hasWildcards, unescapePath } from '../dockerfile/index.ts';
import { findStat, resolveInRoot, resolveParentInRoot } from './root-path.ts';

/** A file or tree to be copied. */
export interface Source {
  /** Where it is; links in the way and at the end are followed. */
  path: string;
  /** Its last name as it was asked for. */
  name: string;
  /** Below the root, for `--parents`: what comes after `/./`, else the whole. */
  kept: string;
  directory: boolean;
}

export interface Selection {
  instruction: 'COPY' | 'ADD';
  root: string;
  fromContext: boolean;
  /** `**` stands for any number of directories, as with `--parents`; elsewhere it is one `*`, as in Go's filepath.Match. */
  deep: boolean;
}

/** The things below a root that a source argument of COPY or ADD names, in order of name; a pattern may name none. */
export function selectSources(pattern: string, { instruction, root, fromContext, deep }: Selection): Source[] {
  // Above the root of a stage or an image is the root itself.
  const clean = posix.normalize(fromContext ? pattern.replace(/^\/+/, '') : `/${pattern}`).replace(/^\/+/, '') || '.';
  if (clean === '..' || clean.startsWith('../'))
    throw invalid(`${instruction} failed: forbidden path outside the build context: ${pattern} ()`);
  const names = hasWildcards(clean) ? expand(root, clean, deep) : [unescapePath(clean)];
  const where = fromContext ? 'file not found in build context or excluded by .dockerignore: ' : '';
  return names.map((name) => {
    const found = sourceAt(root, name, pattern);
    if (found === undefined) throw invalid(`${instruction} failed: ${where}stat ${name}: file does not exist`);
    return found;
  });
}

function sourceAt(root: string, relative: string, pattern: string): Source | undefined {
  const path = resolveInRoot(root, relative);
  const stat = findStat(path);
  if (stat === undefined) return undefined;
  const trimmed = relative.replace(/\/+$/, '');
  return {
    path,
    name: posix.basename(trimmed) || '.',
    kept: keptPath(trimmed, pattern),
    directory: stat.isDirectory(),
  };
}

/** `a/./b/c` keeps `b/c` of the path: the pivot stands after as many names as the pattern has before it. */
function keptPath(relative: string, pattern: string): string {
  const pivot = pattern.indexOf('/./');
  if (pivot < 0) return relative;
  const before = posix.normalize(pattern.slice(0, pivot).replace(/^\/+/, '') || '.');
  return before === '.' ? relative : relative.split('/').slice(before.split('/').length).join('/');
}

function expand(root: string, pattern: string, deep: boolean): string[] {
  let found = [''];
  const parts = pattern.split('/').filter((name) => name !== '');
  for (const [index, part] of parts.entries()) {
    if (deep && part === '**' && index < parts.length - 1) {
      found = [...new Set(found.flatMap((directory) => directoriesUnder(root, directory)))];
      continue;
    }
    const next: string[] = [];
    const expression = hasWildcards(part) ? patternOf(part) : undefined;
    for (const directory of found) {
      const at = (name: string) => (directory === '' ? name : `${directory}/${name}`);
      if (expression === undefined) {
        const name = unescapePath(part);
        if (findStat(resolveParentInRoot(root, at(name))) !== undefined) next.push(at(name));
        continue;
      }
      const here = resolveInRoot(root, directory);
      if (findStat(here)?.isDirectory() !== true) continue;
      for (const name of readdirSync(here).sort()) if (expression.test(name)) next.push(at(name));
    }
    found = next;
  }
  return found;
}

/** A directory and all below it; links are not followed. */
function directoriesUnder(root: string, directory: string): string[] {
  const here = resolveInRoot(root, directory);
  if (findStat(here)?.isDirectory() !== true) return [];
  const below = readdirSync(here, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => (directory === '' ? name : `${directory}/${name}`))
    .sort();
  return [directory, ...below.flatMap((name) => directoriesUnder(root, name))];
}

/** A pattern that is none matches nothing, as the reference has it. */
function patternOf(part: string): RegExp {
  try {
    return compileFileMatch(part);
  } catch {
    return /(?!)/;
  }
}

/** A file made for this build, outside any root. */
export const madeSource = (directory: string, name: string): Source => ({
  path: join(directory, name),
  name,
  kept: name,
  directory: false,
});
