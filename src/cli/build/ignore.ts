/** `.dockerignore` as moby's patternmatcher reads it: Go's filepath.Match with `**`, the last matching line decides, `!` takes back. */
export interface IgnoreRules {
  /** True if this path (relative, `/` between parts) stays out of the context. */
  ignores(path: string): boolean;
  /** True if something below an ignored directory may still be wanted, so that it must be walked. */
  mayHoldExceptions(directory: string): boolean;
}

interface Rule {
  pattern: RegExp;
  text: string;
  negated: boolean;
}

export function parseIgnore(text: string): IgnoreRules {
  const rules: Rule[] = [];
  for (const raw of text.replace(/^\uFEFF/, '').split('\n')) {
    if (raw.startsWith('#')) continue;
    let line = raw.trim();
    if (line === '') continue;
    const negated = line.startsWith('!');
    if (negated) line = line.slice(1).trim();
    const clean = cleanPath(line);
    if (clean === '') continue;
    rules.push({ pattern: toRegExp(clean), text: clean, negated });
  }
  const exceptions = rules.filter((rule) => rule.negated);
  // A pattern that matches a directory also covers what is in it.
  const covers = (rule: Rule, path: string): boolean => {
    const parts = path.split('/');
    return parts.some((_, index) => rule.pattern.test(parts.slice(0, index + 1).join('/')));
  };
  return {
    ignores(path) {
      let ignored = false;
      for (const rule of rules) if (rule.negated === ignored && covers(rule, path)) ignored = !rule.negated;
      return ignored;
    },
    mayHoldExceptions: (directory) =>
      exceptions.some((rule) => `${rule.text}/`.startsWith(`${directory}/`) || /[*?[]/.test(rule.text)),
  };
}

/** Slashes at the ends and `.` parts mean nothing; `..` is resolved. */
function cleanPath(path: string): string {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..') parts.pop();
    else parts.push(part);
  }
  return parts.join('/');
}

function toRegExp(pattern: string): RegExp {
  let out = '^';
  for (let at = 0; at < pattern.length; at++) {
    const char = pattern[at]!;
    if (char === '*' && pattern[at + 1] === '*') {
      at++;
      if (pattern[at + 1] === '/') at++;
      out += at >= pattern.length - 1 ? '.*' : '(.*/)?';
    } else if (char === '*') out += '[^/]*';
    else if (char === '?') out += '[^/]';
    else if (char === '\\' && at + 1 < pattern.length) out += escaped(pattern[++at]!);
    else if (char === '[') {
      const end = pattern.indexOf(']', at + 2);
      if (end < 0) throw new Error(`syntax error in pattern: ${pattern}`);
      out += `[${pattern.slice(at + 1, end).replace(/\\/g, '\\\\')}]`;
      at = end;
    } else out += escaped(char);
  }
  return new RegExp(`${out}$`, 's');
}
const escaped = (char: string): string => char.replace(/[.*+?^${}()|[\]\\/]/, '\\$&');
