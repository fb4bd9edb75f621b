import { invalid } from '../common/index.ts';

const bad = () => invalid('syntax error in pattern');

/** Go's path.Match: `*` and `?` do not cross slashes, `[a-z]`, `[^a]`, `\c`. Throws `syntax error in pattern`. */
export function globMatcher(pattern: string): (text: string) => boolean {
  let source = '';
  for (let at = 0; at < pattern.length; at++) {
    const char = pattern[at]!;
    if (char === '*') source += '[^/]*';
    else if (char === '?') source += '[^/]';
    else if (char === '[') {
      const { text, end } = classOf(pattern, at);
      source += text;
      at = end;
    } else if (char === '\\') {
      if (++at >= pattern.length) throw bad();
      source += escaped(pattern[at]!);
    } else source += escaped(char);
  }
  const expression = new RegExp(`^${source}$`, 's');
  return (text) => expression.test(text);
}

const escaped = (char: string) => char.replace(/[\\^$.*+?()[\]{}|/-]/, '\\$&');

function classOf(pattern: string, start: number): { text: string; end: number } {
  let at = start + 1;
  const negated = pattern[at] === '^';
  if (negated) at++;
  let text = '';
  for (let ranges = 0; ; ranges++) {
    if (pattern[at] === ']' && ranges > 0) return { text: `[${negated ? '^/' : ''}${text}]`, end: at };
    const low = member(pattern, at);
    at = low.next;
    if (pattern[at] === '-') {
      const high = member(pattern, at + 1);
      if (high.char < low.char) throw bad();
      text += `${escaped(low.char)}-${escaped(high.char)}`;
      at = high.next;
    } else text += escaped(low.char);
  }
}

function member(pattern: string, at: number): { char: string; next: number } {
  const from = pattern[at] === '\\' ? at + 1 : at;
  const char = pattern[from];
  if (char === undefined || (from === at && (char === '-' || char === ']'))) throw bad();
  return { char, next: from + 1 };
}
