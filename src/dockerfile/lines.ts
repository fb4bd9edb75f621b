import { invalid } from '../common/index.ts';
import type { Directives, Heredoc, LogicalLine } from './types.ts';

const failed = (why: string) => invalid(`failed to parse Dockerfile: ${why}`);

/** What the reference's reader takes. */
const MAX_LINE_BYTES = 65_535;

/** Instructions that may be followed by here-documents. */
const WITH_HEREDOCS = /^\s*(?:onbuild\s+)?(?:add|copy|run)\s/i;

/** Parser directives: `# key=value` lines before anything else. */
export function readDirectives(lines: readonly string[]): Directives {
  const found: Directives = { escape: '\\' };
  const seen = new Set<string>();
  for (const line of lines) {
    const match = /^#\s*([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(.+?)\s*$/.exec(line);
    if (match === null) break;
    const key = match[1]!.toLowerCase();
    const value = match[2]!;
    if (key !== 'escape' && key !== 'syntax' && key !== 'check') break;
    if (seen.has(key)) throw failed(`only one ${key} parser directive can be used`);
    seen.add(key);
    if (key !== 'escape') found[key] = value;
    else if (value === '\\' || value === '`') found.escape = value;
    else throw failed(`invalid escape token '${value}' does not match \` or \\`);
  }
  return found;
}

const isComment = (line: string): boolean => /^[ \t]*#/.test(line);

/** A line without its continuation mark, and whether the instruction ends with it. The mark must not itself be escaped. */
function cutContinuation(line: string, escape: string): { text: string; ends: boolean } {
  const trimmed = line.replace(/[ \t]+$/, '');
  if (!trimmed.endsWith(escape) || trimmed.at(-2) === escape) return { text: line, ends: true };
  return { text: trimmed.slice(0, -1), ends: false };
}

/** Joins continuations, drops comments and empty lines, takes here-documents along (BuildKit frontend/dockerfile/parser). */
export function readLines(text: string, { escape }: Directives): LogicalLine[] {
  const raw = text.replace(/^\uFEFF/, '').split('\n');
  const source = raw.map((line) => line.replace(/\r$/, ''));
  if (source.some((line) => Buffer.byteLength(line) > MAX_LINE_BYTES))
    throw failed(`dockerfile line greater than max allowed size of ${MAX_LINE_BYTES}`);
  const count = source.at(-1) === '' ? source.length - 1 : source.length;
  const found: LogicalLine[] = [];
  for (let at = 0; at < source.length; ) {
    const first = at;
    const opening = source[at++]!;
    if (isComment(opening)) continue;
    let { text: joined, ends } = cutContinuation(opening.trimStart(), escape);
    if (ends && joined.trim() === '') continue;
    let blankContinuation = false;
    while (!ends && at < source.length) {
      const next = source[at++]!;
      if (isComment(next)) continue;
      if (next.trim() === '') {
        blankContinuation = at <= count || blankContinuation;
        continue;
      }
      const cut = cutContinuation(next, escape);
      joined += cut.text;
      ends = cut.ends;
    }
    joined = joined.trim();
    if (joined === '') continue;
    const heredocs: Heredoc[] = [];
    if (WITH_HEREDOCS.test(joined))
      for (const start of heredocStarts(joined, escape)) {
        const content: string[] = [];
        const { name, expand, chomp } = start;
        // `1 << 2` of a shell's arithmetic is none: nothing ends it. (The reference refuses such a file.)
        if (start.apart && !source.includes(name, at)) continue;
        for (;;) {
          if (at >= source.length) throw failed('unterminated heredoc');
          const line = source[at]!;
          // The text is the file's: its lines keep their ends.
          const written = raw[at++]!;
          if ((chomp ? line.replace(/^\t+/, '') : line) === name) break;
          content.push(`${written}\n`);
        }
        heredocs.push({ name, expand, chomp, content: content.join('') });
      }
    const above = first === 0 ? '' : source[first - 1]!;
    const comment = isComment(above) ? above.trim().slice(1).trim() : undefined;
    found.push({ line: first + 1, endLine: Math.min(at, count), text: joined, heredocs, blankContinuation, comment });
  }
  return found;
}

interface HeredocStart extends Omit<Heredoc, 'content'> {
  /** Blanks stand between `<<` and the name. */
  apart: boolean;
}

/** One word as a here-document's start: `<<EOF`, `<<-"EOF"`, `3<<EOF`; or two, `<< EOF`. */
export function heredocStart(word: string): HeredocStart | undefined {
  const match = /^\d*<<(?:(-?)|([ \t]+))((?:"[^"]*"|'[^']*'|[^<\s"'])+)$/.exec(word);
  if (match === null) return undefined;
  const written = match[3]!;
  const name = written.replace(/["'\\]/g, '');
  if (name === '') return undefined;
  return { name, expand: !/["']/.test(written), chomp: match[1] === '-', apart: match[2] !== undefined };
}

function heredocStarts(text: string, escape: string): HeredocStart[] {
  // A JSON form holds no here-documents.
  if (/^\s*(?:onbuild\s+)?\S+\s+(?:--\S+\s+)*\[/i.test(text)) return [];
  const words = shellWords(text, escape);
  return words.flatMap((word, index) => {
    const whole = /^\d*<<$/.test(word) && words[index + 1] !== undefined ? `${word} ${words[index + 1]}` : word;
    return heredocStart(whole) ?? [];
  });
}

/** Words split at blanks outside quotes; quotes and escapes stay as they are (BuildKit parser, parseWords). */
export function shellWords(text: string, escape: string): string[] {
  const words: string[] = [];
  let word = '';
  let inWord = false;
  let quote = '';
  for (let i = 0; i < text.length; i++) {
    const char = text[i]!;
    if (quote === '' && /\s/.test(char)) {
      if (inWord) words.push(word);
      word = '';
      inWord = false;
      continue;
    }
    inWord = true;
    if (char === escape) {
      if (i + 1 >= text.length) break;
      word += char + text[++i];
      continue;
    }
    if (quote === '' && (char === '"' || char === "'")) quote = char;
    else if (char === quote) quote = '';
    word += char;
  }
  if (inWord && word !== '') words.push(word);
  return words;
}
