/** Indents JSON text as Go's json.Indent: the tokens stay as they came (numbers of any size, key order). */
export function indentJson(text: string, prefix = '', unit = '    '): string {
  let out = '';
  let depth = 0;
  let at = 0;
  const line = (): string => `\n${prefix}${unit.repeat(depth)}`;
  while (at < text.length) {
    const char = text[at]!;
    if (char === '"') {
      let end = at + 1;
      while (end < text.length && text[end] !== '"') end += text[end] === '\\' ? 2 : 1;
      out += text.slice(at, end + 1);
      at = end + 1;
      continue;
    }
    at++;
    if (/\s/.test(char)) continue;
    if (char === '{' || char === '[') {
      const close = /^\s*[}\]]/.exec(text.slice(at, at + 64));
      if (close) {
        out += char + (char === '{' ? '}' : ']');
        at += close[0].length;
        continue;
      }
      depth++;
      out += char + line();
    } else if (char === '}' || char === ']') {
      depth--;
      out += line() + char;
    } else if (char === ',') out += char + line();
    else if (char === ':') out += ': ';
    else out += char;
  }
  return out;
}
