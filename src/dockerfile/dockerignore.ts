import { posix } from 'node:path';
import { invalid } from '../common/index.ts';
import { characterClass } from './file-match.ts';

interface Rule {
  text: string;
  expression: RegExp;
  exception: boolean;
}

/** Lines of a .dockerignore, cleaned as moby's ignorefile.ReadAll does: comments and blanks dropped, `/` in front dropped, `!` kept. */
export function readIgnoreFile(text: string): string[] {
  const found: string[] = [];
  for (const line of text.replace(/^\uFEFF/, '').split(/\r?\n/)) {
    if (line.startsWith('#')) continue;
    let pattern = line.trim();
    if (pattern === '') continue;
    const exception = pattern.startsWith('!');
    if (exception) pattern = pattern.slice(1).trim();
    if (pattern !== '') {
      pattern = posix.normalize(pattern);
      if (pattern.length > 1) pattern = pattern.replace(/\/$/, '');
      if (pattern.length > 1 && pattern.startsWith('/')) pattern = pattern.slice(1);
    }
    found.push(exception ? `!${pattern}` : pattern);
  }
  return found;
}

/** Which paths a list of patterns leaves out (moby/patternmatcher): the last pattern that matches the path or a parent of it decides. */
export class IgnoreMatcher {
  readonly #rules: Rule[];
  /** Some pattern brings paths back: then an excluded directory must still be walked. */
  readonly hasExceptions: boolean;

  constructor(patterns: readonly string[]) {
    this.#rules = patterns.flatMap((given) => {
      const pattern = given.trim();
      if (pattern === '') return [];
      const exception = pattern.startsWith('!');
      if (exception && pattern.length === 1) throw invalid('illegal exclusion pattern: "!"');
      const clean = posix.normalize(exception ? pattern.slice(1) : pattern).replace(/(?<=.)\/$/, '');
      return [{ text: clean, expression: compile(clean), exception }];
    });
    this.hasExceptions = this.#rules.some(({ exception }) => exception);
  }

  get empty(): boolean {
    return this.#rules.length === 0;
  }

  /** False: nothing below this excluded directory comes back, so it need not be walked. */
  mayHoldExceptions(directory: string): boolean {
    return this.#rules.some(
      ({ text, exception }) => exception && (`${text}/`.startsWith(`${directory}/`) || /[*?[\\]/.test(text)),
    );
  }

  /** `path` is relative, without `./`. */
  excludes(path: string): boolean {
    const parts = path.split('/');
    const parents = parts.map((_, index) => parts.slice(0, index + 1).join('/')).reverse();
    let excluded = false;
    for (const { expression, exception } of this.#rules) {
      // A rule that would change nothing need not be looked at.
      if (exception !== excluded) continue;
      if (parents.some((candidate) => expression.test(candidate))) excluded = !exception;
    }
    return excluded;
  }
}

/** `**` is any number of directories; the rest is filepath.Match. */
function compile(pattern: string): RegExp {
  let out = '^';
  for (let i = 0; i < pattern.length; i++) {
    const char = pattern[i]!;
    if (char === '*' && pattern[i + 1] === '*') {
      while (pattern[i + 1] === '*') i++;
      if (pattern[i + 1] === '/') i++;
      out += i + 1 >= pattern.length ? '.*' : '(?:.*/)?';
    } else if (char === '*') out += '[^/]*';
    else if (char === '?') out += '[^/]';
    else if (char === '\\') {
      if (++i >= pattern.length) throw invalid('syntax error in pattern');
      out += pattern[i]!.replace(/[^A-Za-z0-9_]/, '\\$&');
    } else if (char === '[') {
      const set = characterClass(pattern, i);
      out += set.expression;
      i = set.end;
    } else out += char.replace(/[.$^+(){}|\]/-]/, '\\$&');
  }
  return new RegExp(`${out}$`, 's');
}
