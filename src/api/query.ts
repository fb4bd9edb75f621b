import { Filters, invalid } from '../common/index.ts';

const FALSE = new Set(['', '0', 'no', 'false', 'none']);

/** Query parameters with Docker's readings (moby api/server/httputils/form.go). */
export class Query {
  readonly #params: URLSearchParams;
  /** Throws invalid, in the words of Go's url.ParseQuery, rather than guess. */
  constructor(text: string) {
    if (text.includes(';')) throw invalid('invalid semicolon separator in query');
    const wrong = /%(?![0-9a-fA-F]{2}).{0,2}/s.exec(text);
    if (wrong !== null) throw invalid(`invalid URL escape ${JSON.stringify(wrong[0])}`);
    this.#params = new URLSearchParams(text);
  }

  /** Undefined if absent or empty. */
  text(name: string): string | undefined {
    return this.#params.get(name) || undefined;
  }
  all(name: string): string[] {
    return this.#params.getAll(name);
  }
  has(name: string): boolean {
    return this.#params.has(name);
  }
  bool(name: string, otherwise = false): boolean {
    const value = this.#params.get(name);
    return value === null ? otherwise : !FALSE.has(value.trim().toLowerCase());
  }
  int(name: string): number | undefined {
    const value = this.text(name);
    if (value === undefined) return undefined;
    if (!/^[+-]?\d+$/.test(value)) throw invalid(`strconv.Atoi: parsing ${JSON.stringify(value)}: invalid syntax`);
    return Number(value);
  }
  filters(): Filters {
    return Filters.parse(this.text('filters'));
  }
  /** Every parameter; those given several times as lists. */
  entries(): Record<string, string | string[]> {
    const names = [...new Set(this.#params.keys())];
    return Object.fromEntries(
      names.map((name) => {
        const values = this.#params.getAll(name);
        return [name, values.length === 1 ? (values[0] ?? '') : values];
      }),
    );
  }
}
