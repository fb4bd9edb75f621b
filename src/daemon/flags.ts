import { invalid, notGoBool, parseBytes, parseGoBool } from '../common/index.ts';
import { nameOf, OPTIONS, type OptionSpec, type OptionValue } from './options.ts';

/** Reads the command line as pflag does: `--name value`, `--name=value`, `-n value`, `-nvalue`, booleans alone. Throws invalid. */
export function parseFlags(args: readonly string[]): Map<string, OptionValue> {
  const values = new Map<string, OptionValue>();
  const rest = [...args];
  for (let arg = rest.shift(); arg !== undefined; arg = rest.shift()) {
    if (arg === '--') break;
    if (!arg.startsWith('-') || arg === '-') throw invalid(`gantryd takes no arguments: ${JSON.stringify(arg)}`);
    const { spec, inline } = arg.startsWith('--') ? longFlag(arg) : shortFlag(arg, rest);
    if (spec.kind === 'bool') {
      const given = inline ?? 'true';
      const value = parseGoBool(given);
      if (value === undefined)
        throw invalid(`invalid argument ${JSON.stringify(given)} for "--${spec.flag}" flag: ${notGoBool(given)}`);
      values.set(nameOf(spec), value);
      continue;
    }
    const text = inline ?? rest.shift();
    if (text === undefined) throw invalid(`flag needs an argument: ${arg}`);
    add(values, spec, text);
  }
  return values;
}

interface Found {
  spec: OptionSpec;
  inline: string | undefined;
}

function longFlag(arg: string): Found {
  const cut = arg.indexOf('=');
  const name = cut < 0 ? arg.slice(2) : arg.slice(2, cut);
  const spec = OPTIONS.find(({ flag }) => flag === name);
  if (spec === undefined) throw invalid(`unknown flag: --${name}`);
  return { spec, inline: cut < 0 ? undefined : arg.slice(cut + 1) };
}

function shortFlag(arg: string, rest: string[]): Found {
  const letter = arg[1] ?? '';
  const spec = OPTIONS.find(({ short }) => short === letter);
  if (spec === undefined) throw invalid(`unknown shorthand flag: '${letter}' in ${arg}`);
  const tail = arg.slice(2);
  if (tail === '') return { spec, inline: undefined };
  if (tail.startsWith('=')) return { spec, inline: tail.slice(1) };
  if (spec.kind !== 'bool') return { spec, inline: tail };
  // Letters of booleans may stand together: `-Dv`.
  rest.unshift(`-${tail}`);
  return { spec, inline: undefined };
}

function add(values: Map<string, OptionValue>, spec: OptionSpec, text: string): void {
  const name = nameOf(spec);
  const bad = (why: string) => invalid(`invalid argument ${JSON.stringify(text)} for "--${spec.flag}" flag: ${why}`);
  switch (spec.kind) {
    case 'list':
      values.set(name, [...((values.get(name) as string[] | undefined) ?? []), text]);
      return;
    case 'map': {
      const cut = text.indexOf('=');
      if (cut < 1) throw bad('must be key=value');
      values.set(name, {
        ...(values.get(name) as Record<string, string> | undefined),
        [text.slice(0, cut)]: text.slice(cut + 1),
      });
      return;
    }
    case 'int':
      if (!/^[+-]?\d+$/.test(text)) throw bad(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
      values.set(name, Number(text));
      return;
    case 'bytes':
      values.set(name, parseBytes(text));
      return;
    default:
      values.set(name, text);
  }
}
