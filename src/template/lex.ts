import { quote } from './quote.ts';

export type TokenKind =
  | 'text'
  | 'open'
  | 'close'
  | 'space'
  | 'field'
  | 'variable'
  | 'identifier'
  | 'keyword'
  | 'string'
  | 'rawString'
  | 'char'
  | 'number'
  | 'bool'
  | 'nil'
  | 'dot'
  | 'pipe'
  | 'declare'
  | 'assign'
  | 'comma'
  | '('
  | ')'
  | 'eof'
  | 'error';
export interface Token {
  kind: TokenKind;
  text: string;
  pos: number;
}

const KEYWORDS = new Set(['block', 'break', 'continue', 'define', 'else', 'end', 'if', 'range', 'template', 'with']);
const WORD = /[\p{L}\p{Nd}_]+/uy;

/** How Go's parser shows a token in an error. */
export function show(token: Token): string {
  if (token.kind === 'eof') return 'EOF';
  if (token.kind === 'error') return token.text;
  if (token.kind === 'keyword') return `<${token.text}>`;
  return token.text.length > 10 ? `${quote(token.text.slice(0, 10))}...` : quote(token.text);
}

const SIMPLE: [string, TokenKind][] = [
  [':=', 'declare'],
  ['=', 'assign'],
  ['|', 'pipe'],
  [',', 'comma'],
  ['(', '('],
  [')', ')'],
];

/** Splits a template into tokens (Go 1.24, text/template/parse/lex.go). An error is the last token. */
export function* lex(source: string): Generator<Token> {
  let at = 0;
  let trimNext = false;
  for (;;) {
    const open = source.indexOf('{{', at);
    let text = open < 0 ? source.slice(at) : source.slice(at, open);
    const start = at;
    const trimsLeft = open >= 0 && source[open + 2] === '-' && /[ \t\r\n]/.test(source[open + 3] ?? '');
    if (trimNext) text = text.replace(/^[ \t\r\n]+/, '');
    if (trimsLeft) text = text.replace(/[ \t\r\n]+$/, '');
    if (text !== '') yield { kind: 'text', text, pos: start };
    if (open < 0) return yield { kind: 'eof', text: '', pos: source.length };
    trimNext = false;
    at = open + 2 + (trimsLeft ? 2 : 0);
    if (source.startsWith('/*', at)) {
      const end = source.indexOf('*/', at + 2);
      if (end < 0) return yield { kind: 'error', text: 'unclosed comment', pos: open };
      const close = /(?:[ \t\r\n]-)?\}\}/y;
      close.lastIndex = end + 2;
      const match = close.exec(source);
      if (!match) return yield { kind: 'error', text: 'comment ends before closing delimiter', pos: open };
      trimNext = match[0].length > 2;
      at = close.lastIndex;
      continue;
    }
    yield { kind: 'open', text: '{{', pos: open };
    let depth = 0;
    for (;;) {
      const rest = /[ \t\r\n]*/y;
      rest.lastIndex = at;
      const blank = rest.exec(source)![0];
      const afterBlank = at + blank.length;
      if (blank !== '' && source.startsWith('-}}', afterBlank)) {
        trimNext = true;
        at = afterBlank;
      } else if (blank !== '') {
        yield { kind: 'space', text: blank, pos: at };
        at = afterBlank;
      }
      const closing = trimNext ? '-}}' : '}}';
      if (source.startsWith(closing, at)) {
        if (depth > 0) return yield { kind: 'error', text: 'unclosed left paren', pos: at };
        yield { kind: 'close', text: '}}', pos: at };
        at += closing.length;
        break;
      }
      const token = lexOne(source, at);
      if (token.kind === '(') depth++;
      if (token.kind === ')' && --depth < 0) return yield { kind: 'error', text: 'unexpected right paren', pos: at };
      yield token;
      if (token.kind === 'error') return;
      at += token.text.length;
    }
  }
}

function lexOne(source: string, pos: number): Token {
  const char = source[pos];
  const fail = (text: string): Token => ({ kind: 'error', text, pos });
  if (char === undefined) return fail('unclosed action');
  for (const [text, kind] of SIMPLE) if (source.startsWith(text, pos)) return { kind, text, pos };
  if (char === ':') return fail('expected :=');
  if (char === '"') {
    const match = /"(?:[^"\\\n]|\\[^\n])*"/y;
    match.lastIndex = pos;
    const found = match.exec(source);
    return found ? { kind: 'string', text: found[0], pos } : fail('unterminated quoted string');
  }
  if (char === '`') {
    const end = source.indexOf('`', pos + 1);
    return end < 0
      ? fail('unterminated raw quoted string')
      : { kind: 'rawString', text: source.slice(pos, end + 1), pos };
  }
  if (char === "'") {
    const match = /'(?:[^'\\\n]|\\[^\n])+'/y;
    match.lastIndex = pos;
    const found = match.exec(source);
    return found ? { kind: 'char', text: found[0], pos } : fail('unterminated character constant');
  }
  const number = /[+-]?(?:0[xX][\da-fA-F_]+|0[oO][0-7_]+|0[bB][01_]+|(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)/y;
  number.lastIndex = pos;
  const digits = number.exec(source)?.[0];
  if (digits !== undefined) {
    const next = source[pos + digits.length] ?? '';
    if (/[\p{L}\d_]/u.test(next)) return fail(`bad number syntax: ${quote(digits + next)}`);
    return { kind: 'number', text: digits, pos };
  }
  if (char === '.' || char === '$') {
    WORD.lastIndex = pos + 1;
    const name = WORD.exec(source)?.[0] ?? '';
    if (char === '.' && pos + 1 === source.length) return fail('illegal number syntax: "."');
    if (char === '.' && name === '') return { kind: 'dot', text: '.', pos };
    const end = source[pos + 1 + name.length];
    if (end !== undefined && !terminates(end))
      return fail(`bad character ${describe(source.codePointAt(pos + 1 + name.length)!)}`);
    return { kind: char === '.' ? 'field' : 'variable', text: char + name, pos };
  }
  WORD.lastIndex = pos;
  const word = WORD.exec(source)?.[0];
  if (word === undefined) return fail(`unrecognized character in action: ${describe(source.codePointAt(pos)!)}`);
  const end = source[pos + word.length];
  if (end !== undefined && !terminates(end))
    return fail(`bad character ${describe(source.codePointAt(pos + word.length)!)}`);
  if (KEYWORDS.has(word)) return { kind: 'keyword', text: word, pos };
  if (word === 'true' || word === 'false') return { kind: 'bool', text: word, pos };
  if (word === 'nil') return { kind: 'nil', text: word, pos };
  return { kind: 'identifier', text: word, pos };
}

const terminates = (char: string): boolean => /[ \t\r\n.,|:=()}]/.test(char);
const describe = (code: number): string =>
  `U+${code.toString(16).toUpperCase().padStart(4, '0')} '${String.fromCodePoint(code)}'`;
