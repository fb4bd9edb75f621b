import { invalid } from '../common/index.ts';

/** A Go filepath.Match pattern as an expression over one path: `*` and `?` stop at `/`, `[a-z]`, `[^…]`, `\` escapes. Throws `syntax error in pattern`. */
export function compileFileMatch(pattern: string): RegExp {
  let out = '';
  for (let i = 0; i < pattern.length; i++) {
    const char = pattern[i]!;
    if (char === '*') {
      while (pattern[i + 1] === '*') i++;
      out += '[^/]*';
    } else if (char === '?') out += '[^/]';
    else if (char === '\\') {
      if (++i >= pattern.length) throw invalid('syntax error in pattern');
      out += literal(pattern[i]!);
    } else if (char === '[') {
      const set = characterClass(pattern, i);
      out += set.expression;
      i = set.end;
    } else out += literal(char);
  }
  return new RegExp(`^${out}$`, 's');
}

const literal = (char: string): string => char.replace(/[\\^$.*+?()[\]{}|/-]/, '\\$&');

/** `[…]` from `start`; `end` is the place of the closing bracket. */
export function characterClass(pattern: string, start: number): { expression: string; end: number } {
  let at = start + 1;
  const negated = pattern[at] === '^';
  if (negated) at++;
  const one = (): string => {
    let char = pattern[at];
    if (char === undefined || char === '-' || char === ']') throw invalid('syntax error in pattern');
    if (char === '\\') char = pattern[++at];
    if (char === undefined) throw invalid('syntax error in pattern');
    at++;
    return char;
  };
  let body = '';
  while (body === '' || pattern[at] !== ']') {
    const low = one();
    let high = low;
    if (pattern[at] === '-') {
      at++;
      high = one();
    }
    // A range that is upside down matches nothing, in Go.
    body += low <= high ? `${literal(low)}-${literal(high)}` : '';
    if (body === '' && low > high) body = '\u{0}-\u{0}';
  }
  return { expression: negated ? `(?!/)[^${body}]` : `(?!/)[${body}]`, end: at };
}

export const hasWildcards = (path: string): boolean => /[*?[]/.test(path.replace(/\\./g, ''));
export const unescapePath = (path: string): string => path.replace(/\\(.)/g, '$1');
