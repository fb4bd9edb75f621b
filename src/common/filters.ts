import { invalid } from './errors.ts';
import { parseTimestampNs } from './time.ts';

/** Filters of the API: key → values. `{"label":["a=b"]}` and the old `{"label":{"a=b":true}}` are both read. */
export class Filters {
  readonly map: ReadonlyMap<string, readonly string[]>;
  constructor(entries: Iterable<readonly [string, readonly string[]]> = []) {
    this.map = new Map(entries);
  }

  static parse(json: string | undefined): Filters {
    if (json === undefined || json === '') return new Filters();
    let value: unknown;
    try {
      value = JSON.parse(json);
    } catch {
      throw invalid('invalid filter');
    }
    if (value === null) return new Filters();
    if (typeof value !== 'object' || Array.isArray(value)) throw invalid('invalid filter');
    const entries: [string, string[]][] = [];
    for (const [key, given] of Object.entries(value)) {
      if (Array.isArray(given) && given.every((item) => typeof item === 'string')) entries.push([key, given]);
      else if (typeof given === 'object' && given !== null && !Array.isArray(given))
        entries.push([key, Object.keys(given).filter((name) => (given as Record<string, unknown>)[name] !== false)]);
      else throw invalid('invalid filter');
    }
    return new Filters(entries);
  }

  has(key: string): boolean {
    return (this.map.get(key)?.length ?? 0) > 0;
  }
  get(key: string): readonly string[] {
    return this.map.get(key) ?? [];
  }
  /** Refuses keys outside the list, in moby's words. */
  allow(keys: readonly string[]): void {
    for (const key of this.map.keys()) if (!keys.includes(key)) throw invalid(`invalid filter '${key}'`);
  }
  /** True if the key is absent or one of its values equals the text. */
  exact(key: string, text: string): boolean {
    return !this.has(key) || this.get(key).includes(text);
  }
  /** True if every `label` value (`k` or `k=v`) is met; `label!` values must not be. */
  labels(labels: Readonly<Record<string, string>>): boolean {
    const met = (wanted: string) => {
      const cut = wanted.indexOf('=');
      return cut < 0 ? Object.hasOwn(labels, wanted) : labels[wanted.slice(0, cut)] === wanted.slice(cut + 1);
    };
    return this.get('label').every(met) && !this.get('label!').some(met);
  }
  /** The one `until` of a prune, in nanoseconds since the epoch, or undefined. Throws in moby's words. */
  until(): bigint | undefined {
    const [text, ...others] = this.get('until');
    if (others.length > 0) throw invalid('more than one until filter specified');
    return text === undefined ? undefined : untilNs(text);
  }
  /** A boolean filter (`dangling=true|1|false|0`), or undefined if it is absent. */
  bool(key: string): boolean | undefined {
    if (!this.has(key)) return undefined;
    const values = this.get(key);
    const truthy = values.some((value) => value === 'true' || value === '1');
    const falsy = values.some((value) => value === 'false' || value === '0');
    if (truthy === falsy) throw invalid(`invalid filter '${key}=[${values.join(' ')}]'`);
    return truthy;
  }
}

/** The value of an `until` filter, in nanoseconds since the epoch. Throws in moby's words. */
export function untilNs(text: string): bigint {
  try {
    return parseTimestampNs(text);
  } catch {
    throw invalid(`failed to parse value as time or duration: ${JSON.stringify(text)}`);
  }
}
