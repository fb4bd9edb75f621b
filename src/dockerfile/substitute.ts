import { invalid } from '../common/index.ts';

/** Where values of variables come from; undefined is unset. */
export type Lookup = (name: string) => string | undefined;

export interface SubstitutionOptions {
  lookup: Lookup;
  escape?: string;
  /** Quotes are letters like others (here-documents). */
  rawQuotes?: boolean;
}

/** Replaces variables in one word and takes its quotes off (BuildKit frontend/dockerfile/shell, ProcessWord). Throws `failed to process "…": …`. */
export const substitute = (word: string, options: SubstitutionOptions): string =>
  withContext(word, () => new Lexer(word, options).all().join(''));

/** As substitute, but blanks outside quotes, also those that variables bring, split the result into words. */
export const substituteWords = (word: string, options: SubstitutionOptions): string[] =>
  withContext(word, () => new Lexer(word, options, true).all());

function withContext<T>(word: string, body: () => T): T {
  try {
    return body();
  } catch (error) {
    if (error instanceof SubstitutionError)
      throw invalid(`failed to process ${quoteGo(word)}: ${error.message}`, error);
    throw error;
  }
}

const quoteGo = (text: string): string => JSON.stringify(text);

class SubstitutionError extends Error {}

const missingStop = (stop: string): string =>
  stop === '/' ? "syntax error: missing '/' in ${}" : "syntax error: missing '}'";

/** Nesting of `${a:-${b:-…}}`; deeper is an attack, not a Dockerfile. */
const MAX_DEPTH = 100;

class Lexer {
  readonly #text: string;
  readonly #lookup: Lookup;
  readonly #escape: string;
  readonly #raw: boolean;
  readonly #split: boolean;
  #at = 0;
  #depth = 0;
  #words: string[] = [];
  #word = '';
  #inWord = false;

  constructor(text: string, options: SubstitutionOptions, split = false) {
    this.#text = text;
    this.#lookup = options.lookup;
    this.#escape = options.escape ?? '\\';
    this.#raw = options.rawQuotes ?? false;
    this.#split = split;
  }

  all(): string[] {
    const text = this.#until('', false, true);
    if (!this.#split) return [text];
    if (this.#inWord) this.#words.push(this.#word);
    return this.#words;
  }

  /** Text given to the word list: `plain` blanks separate. */
  #give(text: string, splits: boolean): string {
    if (!this.#split || this.#depth > 0) return text;
    for (const char of text)
      if (splits && /\s/.test(char)) {
        if (this.#inWord) this.#words.push(this.#word);
        this.#word = '';
        this.#inWord = false;
      } else {
        this.#word += char;
        this.#inWord = true;
      }
    return text;
  }

  /** Reads up to the stop character (taken, not given) or the end. `rawEscapes`: a backslash stays, for patterns. */
  #until(stop: string, rawEscapes: boolean, top = false): string {
    let out = '';
    while (this.#at < this.#text.length) {
      const char = this.#text[this.#at]!;
      if (stop !== '' && char === stop) {
        this.#at++;
        return out;
      }
      if (char === "'" && !this.#raw) out += this.#give(this.#single(), false);
      else if (char === '"' && !this.#raw) out += this.#give(this.#double(), false);
      else if (char === '$') out += this.#give(this.#dollar(), true);
      else if (char === this.#escape) {
        this.#at++;
        const next = this.#text[this.#at];
        if (next === undefined) {
          if (rawEscapes) out += this.#give(char, false);
          break;
        }
        this.#at++;
        if (rawEscapes) out += this.#give(char + next, false);
        else out += this.#give(next, false);
      } else {
        this.#at++;
        out += this.#give(char, true);
      }
    }
    if (!top) throw new SubstitutionError(missingStop(stop));
    return out;
  }

  /** A word inside of braces. What is left open at the end of the text is, in the reference's words, the brace or slash. */
  #inner(stop: '}' | '/', rawEscapes: boolean): string {
    try {
      return this.#until(stop, rawEscapes);
    } catch (error) {
      if (error instanceof SubstitutionError && this.#at >= this.#text.length)
        throw new SubstitutionError(missingStop(stop));
      throw error;
    }
  }

  #single(): string {
    const end = this.#text.indexOf("'", this.#at + 1);
    if (end < 0) {
      this.#at = this.#text.length;
      throw new SubstitutionError('unexpected end of statement while looking for matching single-quote');
    }
    const out = this.#text.slice(this.#at + 1, end);
    this.#at = end + 1;
    if (out === '') this.#inWord = this.#inWord || this.#split;
    return out;
  }

  #double(): string {
    this.#at++;
    this.#depth++;
    let out = '';
    while (this.#at < this.#text.length) {
      const char = this.#text[this.#at]!;
      if (char === '"') {
        this.#at++;
        this.#depth--;
        if (out === '') this.#inWord = this.#inWord || this.#split;
        return out;
      }
      if (char === '$') out += this.#dollar();
      else if (char === this.#escape) {
        this.#at++;
        const next = this.#text[this.#at];
        if (next === undefined) break;
        this.#at++;
        out += next === '"' || next === '$' || next === this.#escape ? next : char + next;
      } else {
        this.#at++;
        out += char;
      }
    }
    throw new SubstitutionError('unexpected end of statement while looking for matching double-quote');
  }

  #name(): string {
    const rest = this.#text.slice(this.#at, this.#at + 1000);
    const found = /^(?:[A-Za-z_][A-Za-z0-9_]*|[0-9]+|[@*#?\-!$0])/.exec(rest)?.[0] ?? '';
    this.#at += found.length;
    return found;
  }

  #dollar(): string {
    this.#at++;
    if (this.#text[this.#at] !== '{') {
      const name = this.#name();
      return name === '' ? '$' : (this.#lookup(name) ?? '');
    }
    this.#at++;
    if (++this.#depth > MAX_DEPTH) throw new SubstitutionError('substitutions are nested too deeply');
    try {
      return this.#braces();
    } finally {
      this.#depth--;
    }
  }

  #braces(): string {
    if (this.#at >= this.#text.length) throw new SubstitutionError("syntax error: missing '}'");
    const name = /[A-Za-z_0-9]/.test(this.#text[this.#at]!) ? this.#name() : this.#specialName();
    if (name === '' && this.#text[this.#at] === '}') throw new SubstitutionError('syntax error: bad substitution');
    const value = this.#lookup(name);
    let modifier = this.#text[this.#at++];
    if (modifier === undefined) throw new SubstitutionError('unsupported modifier (\uFFFD) in substitution');
    if (modifier === '}') return value ?? '';
    const emptyIsUnset = modifier === ':';
    if (emptyIsUnset) modifier += this.#text[this.#at++] ?? '';
    const operator = emptyIsUnset ? modifier[1] : modifier;
    const missing = value === undefined || (emptyIsUnset && value === '');
    if (operator === '-' || operator === '+' || operator === '?') {
      const word = this.#inner('}', false);
      if (operator === '-') return missing ? word : value;
      if (operator === '+') return missing ? '' : word;
      if (!missing) return value;
      const why = value === undefined ? 'is not allowed to be unset' : 'is not allowed to be empty';
      throw new SubstitutionError(`${name}: ${word === '' ? why : word}`);
    }
    if (!emptyIsUnset && (operator === '#' || operator === '%')) {
      const word = this.#inner('}', true);
      const greedy = word.startsWith(operator);
      return trim(value ?? '', greedy ? word.slice(1) : word, operator, greedy);
    }
    if (!emptyIsUnset && operator === '/') {
      const everywhere = this.#text[this.#at] === '/';
      if (everywhere) this.#at++;
      const pattern = this.#inner('/', true);
      const replacement = this.#inner('}', true);
      return replace(value ?? '', pattern, replacement, everywhere);
    }
    if (emptyIsUnset) this.#inner('}', false);
    throw new SubstitutionError(`unsupported modifier (${modifier}) in substitution`);
  }

  #specialName(): string {
    const char = this.#text[this.#at]!;
    if (!'@*#?-!$'.includes(char)) return '';
    this.#at++;
    return char;
  }
}

/** A shell pattern as a regular expression: `*`, `?` and their escapes only, as BuildKit has it; braces and slashes were escaped for the word. */
function glob(pattern: string): string {
  let out = '';
  for (let i = 0; i < pattern.length; i++) {
    const char = pattern[i]!;
    if (char === '*') out += '.*';
    else if (char === '?') out += '.';
    else if (char === '\\') {
      const next = pattern[++i] ?? '\uFFFD';
      if (!'*?\\}/'.includes(next))
        throw new SubstitutionError(`invalid pattern (${pattern}) in substitution: invalid escape '${next}'`);
      out += literal(next);
    } else out += literal(char);
  }
  return out;
}

/** `${name/pattern/replacement}`; as in Go, no empty match follows another one at once. */
function replace(value: string, pattern: string, replacement: string, everywhere: boolean): string {
  let end = -1;
  return value.replace(new RegExp(glob(pattern), everywhere ? 'gsu' : 'su'), (match: string, offset: number) => {
    if (match === '' && offset === end) return '';
    end = offset + match.length;
    return replacement;
  });
}

const literal = (char: string): string => char.replace(/[\\^$.*+?()[\]{}|/]/, '\\$&');

/** Takes the shortest or longest match off the front (`#`) or back (`%`). */
function trim(value: string, pattern: string, operator: '#' | '%', greedy: boolean): string {
  // Every cut is tried in order of length, with a linear pattern: no expression that could run away.
  const lengths = Array.from({ length: value.length + 1 }, (_, length) => length);
  const whole = new RegExp(`^${glob(pattern)}$`, 's');
  for (const length of greedy ? lengths.reverse() : lengths) {
    const part = operator === '#' ? value.slice(0, length) : value.slice(value.length - length);
    if (whole.test(part)) return operator === '#' ? value.slice(length) : value.slice(0, value.length - length);
  }
  return value;
}
