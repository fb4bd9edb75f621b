import { checkValue, flagName, isList, splitCsv } from './flag-values.ts';
import type { FlagSpec, FlagValues } from './spec.ts';

/** A flag that cannot be taken; the command line ends with 125, as Docker's. */
export class FlagError extends Error {
  override name = 'FlagError';
}
/** `--help` was asked for. */
export class HelpRequest extends Error {
  override name = 'HelpRequest';
  readonly viaShorthand: boolean;
  constructor(viaShorthand = false) {
    super('help');
    this.viaShorthand = viaShorthand;
  }
}

export interface Parsed {
  args: string[];
  flags: ParsedFlags;
  /** What to say about deprecated flags. */
  notices: string[];
}

/** Values by flag, each checked when it was read. */
export class ParsedFlags implements FlagValues {
  private readonly specs: ReadonlyMap<string, FlagSpec>;
  private readonly values = new Map<string, string[]>();

  constructor(specs: Iterable<FlagSpec>) {
    this.specs = new Map([...specs].map((spec) => [spec.name, spec]));
  }
  set(spec: FlagSpec, value: string): void {
    const name = spec.aliasOf ?? spec.name;
    const target = this.specs.get(name) ?? spec;
    const list = isList(target.type);
    // An empty filter asks for nothing; an empty text is a list of none.
    const none = value === '' && (target.type === 'filter' || target.type === 'strings');
    const given = none ? [] : target.type === 'strings' ? splitCsv(value) : [value];
    const checked = given.map((item) => {
      const known = target.unlimited && item === '-1' ? item : checkValue(target.type, item);
      return target.check ? target.check(known) : known;
    });
    this.values.set(name, list ? [...(this.values.get(name) ?? []), ...checked] : checked);
  }
  private spec(name: string): FlagSpec {
    const spec = this.specs.get(name);
    if (!spec) throw new Error(`flag ${name} is not declared`);
    return spec;
  }
  changed(name: string): boolean {
    this.spec(name);
    return this.values.has(name);
  }
  text(name: string): string {
    return this.values.get(name)?.at(-1) ?? this.spec(name).default ?? '';
  }
  bool(name: string): boolean {
    return this.text(name) === 'true';
  }
  int(name: string): number {
    return Number(this.text(name) || 0);
  }
  list(name: string): string[] {
    this.spec(name);
    return this.values.get(name) ?? [];
  }
}

const HELP: FlagSpec = { name: 'help', type: 'bool', usage: '', hidden: true };

/** Parses as pflag does: grouped short flags, `--name=value`, `--` ends flags. Throws FlagError or HelpRequest. */
export function parseFlags(specs: readonly FlagSpec[], argv: readonly string[], interspersed: boolean): Parsed {
  const flags = new ParsedFlags(specs);
  const byName = new Map(specs.map((spec) => [spec.name, spec]));
  const byShort = new Map(specs.filter((spec) => spec.short !== undefined).map((spec) => [spec.short!, spec]));
  const args: string[] = [];
  const notices: string[] = [];
  let at = 0;

  const set = (spec: FlagSpec, value: string, into = flags): void => {
    if (spec.deprecated !== undefined) notices.push(`Flag --${spec.name} has been deprecated, ${spec.deprecated}`);
    try {
      into.set(spec, value);
    } catch (error) {
      throw new FlagError(
        `invalid argument ${JSON.stringify(value)} for ${JSON.stringify(flagName(spec))} flag: ${(error as Error).message}`,
      );
    }
  };
  const long = (arg: string): void => {
    const body = arg.slice(2);
    const cut = body.indexOf('=');
    const name = cut < 0 ? body : body.slice(0, cut);
    if (name === '' || name.startsWith('-')) throw new FlagError(`bad flag syntax: ${arg}`);
    const spec = byName.get(name);
    if (name === 'help') {
      const asked = new ParsedFlags([HELP]);
      set(HELP, cut < 0 ? 'true' : body.slice(cut + 1), asked);
      if (asked.bool('help')) throw new HelpRequest();
      return;
    }
    if (!spec) {
      throw new FlagError(`unknown flag: --${name}${suggestFlag(name, specs)}`);
    }
    if (cut >= 0) set(spec, body.slice(cut + 1));
    else if (spec.type === 'bool') set(spec, 'true');
    else if (spec.bare !== undefined) set(spec, spec.bare);
    else if (at < argv.length) set(spec, argv[at++]!);
    else throw new FlagError(`flag needs an argument: --${name}`);
  };
  const short = (arg: string): void => {
    let rest = arg.slice(1);
    while (rest !== '') {
      const letter = rest[0]!;
      const spec = byShort.get(letter);
      if (!spec) {
        if (letter === 'h') throw new HelpRequest(true);
        throw new FlagError(`unknown shorthand flag: '${letter}' in -${rest}`);
      }
      if (rest.length > 2 && rest[1] === '=') {
        set(spec, rest.slice(2));
        return;
      }
      if (spec.type === 'bool' || spec.bare !== undefined) {
        set(spec, spec.bare ?? 'true');
        rest = rest.slice(1);
      } else if (rest.length > 1 || at < argv.length) {
        set(spec, rest.length > 1 ? rest.slice(1) : argv[at++]!);
        return;
      } else throw new FlagError(`flag needs an argument: '${letter}' in -${rest}`);
    }
  };

  while (at < argv.length) {
    const arg = argv[at++]!;
    if (arg === '--') {
      args.push(...argv.slice(at));
      break;
    }
    if (arg.startsWith('--')) long(arg);
    else if (arg.startsWith('-') && arg.length > 1) short(arg);
    else if (interspersed) args.push(arg);
    else {
      args.push(arg, ...argv.slice(at));
      break;
    }
  }
  return { args, flags, notices };
}

function suggestFlag(name: string, specs: readonly FlagSpec[]): string {
  const near = nearest(
    name,
    specs.filter((spec) => !spec.hidden).map((spec) => spec.name),
  );
  return near === undefined ? '' : `\nDid you mean --${near}?`;
}

/** The name at the smallest edit distance (swaps count once), if it is near enough to be meant. */
export function nearest(word: string, names: readonly string[]): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(word.length / 3)) + 1;
  for (const name of names) {
    const distance = editDistance(word, name);
    if (distance < bestDistance) {
      best = name;
      bestDistance = distance;
    }
  }
  return best;
}

function editDistance(left: string, right: string): number {
  const rows: number[][] = [Array.from({ length: right.length + 1 }, (_, index) => index)];
  for (let i = 1; i <= left.length; i++) {
    const row = [i];
    for (let j = 1; j <= right.length; j++) {
      const same = left[i - 1] === right[j - 1];
      let cost = Math.min(rows[i - 1]![j]! + 1, row[j - 1]! + 1, rows[i - 1]![j - 1]! + (same ? 0 : 1));
      if (i > 1 && j > 1 && left[i - 1] === right[j - 2] && left[i - 2] === right[j - 1])
        cost = Math.min(cost, rows[i - 2]![j - 2]! + 1);
      row.push(cost);
    }
    rows.push(row);
  }
  return rows[left.length]![right.length]!;
}
