import { TemplateError } from './types.ts';

const ESCAPES: Record<string, string> = {
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '\\': '\\\\',
};
const UNESCAPES: Record<string, string> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  '"': '"',
  "'": "'",
};

/** A string as Go writes it between the quote characters (strconv.Quote). */
export function quote(text: string, mark = '"'): string {
  let out = mark;
  for (const char of text) {
    const code = char.codePointAt(0)!;
    if (char === mark) out += `\\${char}`;
    else if (ESCAPES[char] !== undefined) out += ESCAPES[char];
    else if (code < 0x20 || code === 0x7f) out += `\\x${code.toString(16).padStart(2, '0')}`;
    else if (/[\p{L}\p{M}\p{N}\p{P}\p{S} ]/u.test(char)) out += char;
    else out += code > 0xffff ? `\\U${code.toString(16).padStart(8, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
  }
  return out + mark;
}

/** Reads a quoted Go string or character constant, quotes included. */
export function unquote(text: string): string {
  return text
    .slice(1, -1)
    .replace(
      /\\(?:x([\da-fA-F]{2})|u([\da-fA-F]{4})|U([\da-fA-F]{8})|([0-7]{3})|([^xuU0-7]))|\\/g,
      (_, x, u, U, octal, char) => {
        const hex = x ?? u ?? U;
        if (hex !== undefined) return String.fromCodePoint(Number.parseInt(hex, 16));
        if (octal !== undefined) return String.fromCodePoint(Number.parseInt(octal, 8));
        const plain = char === undefined ? undefined : UNESCAPES[char];
        if (plain === undefined) throw new TemplateError('invalid syntax');
        return plain;
      },
    );
}
