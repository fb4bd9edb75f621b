import { GoDuration, GoStruct, GoTime, mapTypeOf, structEntries } from './go-values.ts';
import { sprintf } from './printf.ts';
import { type Functions, TemplateError, TypedNil } from './types.ts';
import { format, goType, isMap, sortedKeys, structName, truth } from './values.ts';

const fail = (message: string): never => {
  throw new TemplateError(message);
};
const count = (name: string, args: readonly unknown[], want: number): void => {
  if (args.length !== want) fail(`wrong number of args for ${name}: want ${want} got ${args.length}`);
};
const asText = (value: unknown): string =>
  typeof value === 'string' ? value : fail(`wrong type for value; expected string; got ${goType(value)}`);
const asInt = (value: unknown): number =>
  typeof value === 'number' && Number.isInteger(value)
    ? value
    : fail(`wrong type for value; expected int; got ${goType(value)}`);

/** Go's fmt.Sprint: blanks between operands of which neither is a string. */
export const sprint = (args: readonly unknown[]): string =>
  args
    .map(
      (arg, index) =>
        (index > 0 && typeof arg !== 'string' && typeof args[index - 1] !== 'string' ? ' ' : '') + format(arg),
    )
    .join('');

const kind = (value: unknown): string => {
  if (value === null || value === undefined || value instanceof TypedNil) return 'nil';
  if (value instanceof GoDuration) return 'int';
  if (typeof value === 'number' || typeof value === 'bigint') return Number.isInteger(Number(value)) ? 'int' : 'float';
  return typeof value;
};

function equal(left: unknown, right: unknown): boolean {
  const [a, b] = [kind(left), kind(right)];
  if (a === 'object' || b === 'object') {
    if (a === 'nil' || b === 'nil') return false;
    fail(
      `error calling eq: non-comparable type ${format(a === 'object' ? left : right)}: ${goType(a === 'object' ? left : right)}`,
    );
  }
  if (a === 'nil' || b === 'nil') return a === b;
  if (a !== b && !(isNumber(a) && isNumber(b))) fail('error calling eq: incompatible types for comparison');
  return isNumber(a) ? Number(left) === Number(right) : left === right;
}
const isNumber = (name: string): boolean => name === 'int' || name === 'float';

function less(left: unknown, right: unknown): boolean {
  const [a, b] = [kind(left), kind(right)];
  if (isNumber(a) && isNumber(b)) return Number(left) < Number(right);
  if (a === 'string' && b === 'string') return (left as string) < (right as string);
  return a === b
    ? fail('error calling lt: invalid type for comparison')
    : fail('error calling lt: incompatible types for comparison');
}

function index(args: readonly unknown[]): unknown {
  if (args.length === 0) fail('wrong number of args for index: want at least 1 got 0');
  let item = args[0];
  for (const key of args.slice(1)) {
    if (item === undefined || item === null) fail('error calling index: index of untyped nil');
    const about = typeof item === 'object' ? mapTypeOf(item!) : undefined;
    // A text is not assignable to a named key type; Docker's templates go on with the raw JSON then, whose keys are texts.
    if (about && about.key !== 'string')
      fail(`error calling index: value has type ${goType(key)}; should be ${about.key}`);
    if (item instanceof TypedNil && item.kind === 'map') return about ? about.zero() : '';
    if (typeof item === 'string' || Array.isArray(item) || item instanceof TypedNil) {
      if (typeof key !== 'number') fail(`error calling index: cannot index slice/array with type ${goType(key)}`);
      const list: ArrayLike<unknown> =
        item instanceof TypedNil ? [] : typeof item === 'string' ? Buffer.from(item) : (item as unknown[]);
      const at = key as number;
      if (at < 0 || at >= list.length) fail(`error calling index: index out of range: ${at}`);
      item = list[at];
    } else if (isMap(item) && structName(item) === undefined) {
      if (typeof key !== 'string') fail(`error calling index: value has type ${goType(key)}; should be string`);
      // A missing key gives the element's zero value: "" in a map of strings, nothing in one of anything.
      const map: Record<string, unknown> = item;
      const allText = Object.values(map).every((value) => typeof value === 'string');
      item = Object.hasOwn(map, key as string) ? map[key as string] : about ? about.zero() : allText ? '' : undefined;
    } else fail(`error calling index: can't index item of type ${goType(item)}`);
  }
  return item;
}

function slice(args: readonly unknown[]): unknown {
  const [item, ...bounds] = args;
  if (item === undefined || item === null) fail('error calling slice: slice of untyped nil');
  if (bounds.length > 3) fail(`error calling slice: too many slice indexes: ${bounds.length}`);
  if (typeof item !== 'string' && !Array.isArray(item))
    fail(`error calling slice: can't slice item of type ${goType(item)}`);
  const list = item as string | unknown[];
  const size = typeof list === 'string' ? Buffer.byteLength(list) : list.length;
  const [from, to] = [
    bounds[0] === undefined ? 0 : asInt(bounds[0]),
    bounds[1] === undefined ? size : asInt(bounds[1]),
  ];
  for (const bound of [from, to])
    if (bound < 0 || bound > size) fail(`error calling slice: index out of range: ${bound}`);
  if (from > to) fail(`error calling slice: invalid slice index: ${from} > ${to}`);
  return typeof list === 'string' ? Buffer.from(list).toString('utf8', from, to) : list.slice(from, to);
}

function length(value: unknown): number {
  if (value === undefined || value === null) fail('error calling len: len of nil pointer');
  if (value instanceof TypedNil) return 0;
  if (typeof value === 'string') return Buffer.byteLength(value);
  if (Array.isArray(value)) return value.length;
  if (isMap(value) && structName(value) === undefined) return Object.keys(value).length;
  return fail(`error calling len: len of type ${goType(value)}`);
}

const HTML: Record<string, string> = {
  '"': '&#34;',
  "'": '&#39;',
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '\0': '\uFFFD',
};
const JS: Record<string, string> = {
  '\\': '\\\\',
  "'": "\\'",
  '"': '\\"',
  '<': '\\u003C',
  '>': '\\u003E',
  '&': '\\u0026',
  '=': '\\u003D',
};

/** The functions that every Go template has. `and` and `or` stop at the deciding argument in execute.ts. */
export const builtins: Functions = {
  and: (...args) => args.find((arg) => !truth(arg)) ?? args.at(-1),
  or: (...args) => args.find(truth) ?? args.at(-1),
  not: (...args) => {
    count('not', args, 1);
    return !truth(args[0]);
  },
  len: (...args) => {
    count('len', args, 1);
    return length(args[0]);
  },
  index: (...args) => index(args),
  slice: (...args) => slice(args),
  call: (fn, ...args) =>
    typeof fn === 'function' ? fn(...args) : fail(`error calling call: non-function of type ${goType(fn)}`),
  print: (...args) => sprint(args),
  println: (...args) => `${args.map((arg) => format(arg)).join(' ')}\n`,
  printf: (pattern, ...args) => sprintf(asText(pattern), args),
  html: (...args) => sprint(args).replace(/["'&<>\0]/g, (char) => HTML[char]!),
  js: (...args) =>
    sprint(args).replace(
      /[\\'"<>&=\n\r\t]/g,
      (char) => JS[char] ?? `\\u${char.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`,
    ),
  urlquery: (...args) =>
    encodeURIComponent(sprint(args))
      .replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
      .replaceAll('%20', '+'),
  eq: (...args) => {
    if (args.length < 2) fail('error calling eq: missing argument for comparison');
    return args.slice(1).some((other) => equal(args[0], other));
  },
  ne: (...args) => {
    count('ne', args, 2);
    return !equal(args[0], args[1]);
  },
  lt: (...args) => {
    count('lt', args, 2);
    return less(args[0], args[1]);
  },
  le: (...args) => {
    count('le', args, 2);
    return less(args[0], args[1]) || equal(args[0], args[1]);
  },
  gt: (...args) => {
    count('gt', args, 2);
    return less(args[1], args[0]);
  },
  ge: (...args) => {
    count('ge', args, 2);
    return less(args[1], args[0]) || equal(args[0], args[1]);
  },
};

/** JSON as Go's encoder writes it, without HTML escapes: structs in their order, maps by key, U+2028 and U+2029 escaped. */
export function goJson(value: unknown): string {
  if (value === undefined || value === null || value instanceof TypedNil || typeof value === 'function') return 'null';
  if (typeof value === 'string')
    return JSON.stringify(value).replace(/[\u2028\u2029]/g, (char) => `\\u${char.charCodeAt(0).toString(16)}`);
  if (typeof value !== 'object') return typeof value === 'bigint' ? String(value) : JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(goJson).join(',')}]`;
  if (value instanceof GoStruct) return goObject(structEntries(value));
  if (value instanceof GoTime || value instanceof GoDuration) return JSON.stringify(value);
  const { toJSON } = value as { toJSON?: () => unknown };
  if (typeof toJSON === 'function') return goJson(toJSON.call(value));
  const map = value as Record<string, unknown>;
  const keys = structName(map) === undefined ? sortedKeys(map) : Object.keys(map);
  return goObject(keys.map((key) => [key, map[key]]));
}
const goObject = (entries: readonly [string, unknown][]): string =>
  `{${entries.map(([key, value]) => `${goJson(key)}:${goJson(value)}`).join(',')}}`;

const titleCase = (text: string): string =>
  text.replace(/(^|[^\p{L}\p{N}_'])(\p{L})/gu, (_, before, letter) => before + letter.toUpperCase());

/** What Docker adds (docker/cli templates.basicFunctions). */
export const dockerFunctions: Functions = {
  ...builtins,
  json: (...args) => {
    count('json', args, 1);
    return goJson(args[0]);
  },
  split: (text, separator) => (separator === '' ? [...asText(text)] : asText(text).split(asText(separator))),
  join: (list, separator) => {
    if (list instanceof TypedNil && list.kind === 'slice') return '';
    if (!Array.isArray(list)) return fail(`wrong type for value; expected []string; got ${goType(list)}`);
    return list.map((item) => asText(item)).join(asText(separator));
  },
  title: (text) => titleCase(asText(text)),
  lower: (text) => asText(text).toLowerCase(),
  upper: (text) => asText(text).toUpperCase(),
  pad: (text, before, after) =>
    asText(text) === '' ? '' : ' '.repeat(asInt(before)) + text + ' '.repeat(asInt(after)),
  // Counted in bytes, as Go's slices of a text are.
  truncate: (text, size) => Buffer.from(asText(text)).toString('utf8', 0, asInt(size)),
};

const same = (text: unknown): unknown => asText(text);
/** The same functions for a table's header line, whose words they leave as they are. */
export const headerFunctions: Functions = {
  ...dockerFunctions,
  json: same,
  split: same,
  join: same,
  title: same,
  lower: same,
  upper: same,
  truncate: same,
};

/** The message of a function's failure says who failed, as Go's does. */
export const withCaller = (name: string, message: string): string =>
  message.startsWith('error calling ') || message.startsWith('wrong ')
    ? message.replace(/^error calling \w+/, `error calling ${name}`)
    : `error calling ${name}: ${message}`;
