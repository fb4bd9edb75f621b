import { invalid } from '../common/index.ts';
import { shellWords } from './lines.ts';
import type { CommandForm } from './types.ts';

/** The JSON array of an exec form; undefined where it is not one (single quotes, missing brackets), which makes it the shell form. */
export function jsonArray(text: string): string[] | undefined {
  if (!text.trimStart().startsWith('[')) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!Array.isArray(value)) return undefined;
  // Halves of surrogate pairs are no text: as in Go, each is U+FFFD.
  if (value.every((item) => typeof item === 'string')) return value.map((item) => item.toWellFormed());
  throw invalid('failed to parse Dockerfile: when using JSON array syntax, arrays must be comprised of strings only');
}

export function commandForm(text: string): CommandForm {
  const exec = jsonArray(text);
  return exec === undefined ? { shell: text } : { exec };
}

export const listForm = (text: string): string[] => jsonArray(text) ?? text.split(/\s+/).filter((word) => word !== '');

/** `K=V K2="a b"`, or the old `K rest of the line`; quotes stay, for the substitution to take off. */
export function pairsForm(instruction: string, text: string, escape: string): [string, string][] {
  const words = shellWords(text, escape);
  if (words.length === 0) return [];
  if (!words[0]!.includes('=')) {
    const match = /^(\S+)\s+([\s\S]*)$/.exec(text);
    if (match === null) throw invalid(`failed to parse Dockerfile: ${instruction} must have two arguments`);
    return [[match[1]!, match[2]!]];
  }
  return words.map((word) => {
    const cut = word.indexOf('=');
    if (cut < 0)
      throw invalid(
        `failed to parse Dockerfile: Syntax error - can't find = in ${JSON.stringify(word)}. Must be of the form: name=value`,
      );
    return [word.slice(0, cut), word.slice(cut + 1)];
  });
}

export interface Flag {
  name: string;
  /** undefined: given without `=`. */
  value: string | undefined;
}

/** `--flag[=value]` words in front of an instruction's arguments; `--` ends them (BuildKit parser, extractBuilderFlags). */
export function takeFlags(text: string, escape: string): { flags: Flag[]; rest: string } {
  const flags: Flag[] = [];
  let rest = text.trimStart();
  while (rest.startsWith('--')) {
    const end = endOfWord(rest, escape);
    const word = unquoted(rest.slice(0, end), escape);
    rest = rest.slice(end).trimStart();
    if (word === '--') break;
    const cut = word.indexOf('=');
    flags.push(
      cut < 0 ? { name: word.slice(2), value: undefined } : { name: word.slice(2, cut), value: word.slice(cut + 1) },
    );
  }
  return { flags, rest };
}

function endOfWord(text: string, escape: string): number {
  let quote = '';
  for (let i = 0; i < text.length; i++) {
    const char = text[i]!;
    if (char === escape) i++;
    else if (quote !== '') quote = char === quote ? '' : quote;
    else if (char === '"' || char === "'") quote = char;
    else if (/\s/.test(char)) return i;
  }
  return text.length;
}

function unquoted(word: string, escape: string): string {
  let out = '';
  let quote = '';
  for (let i = 0; i < word.length; i++) {
    const char = word[i]!;
    if (char === escape && i + 1 < word.length) out += word[++i];
    else if (quote === '' && (char === '"' || char === "'")) quote = char;
    else if (char === quote) quote = '';
    else out += char;
  }
  return out;
}
