import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HelpRequest, nearest, parseFlags } from './parse-flags.ts';
import type { FlagSpec } from './spec.ts';

const SPECS: FlagSpec[] = [
  { name: 'detach', short: 'd', type: 'bool', usage: '' },
  { name: 'interactive', short: 'i', type: 'bool', usage: '' },
  { name: 'tty', short: 't', type: 'bool', usage: '' },
  { name: 'env', short: 'e', type: 'list', usage: '' },
  { name: 'memory', short: 'm', type: 'bytes', usage: '' },
  { name: 'last', short: 'n', type: 'int', usage: '', default: '-1' },
  { name: 'cpus', type: 'decimal', usage: '' },
  { name: 'port', type: 'strings', usage: '' },
  { name: 'network', type: 'string', usage: '' },
  { name: 'net', type: 'string', usage: '', aliasOf: 'network' },
];
const parse = (line: string, interspersed = true) =>
  parseFlags(SPECS, line === '' ? [] : line.split(' '), interspersed);

test('short flags are grouped and take values attached, after = or as the next word', () => {
  const { flags, args } = parse('-dit -eA=1 -e B=2 -n=3 -m 64m x');
  assert.deepEqual(
    ['detach', 'interactive', 'tty'].map((name) => flags.bool(name)),
    [true, true, true],
  );
  assert.deepEqual(flags.list('env'), ['A=1', 'B=2']);
  assert.equal(flags.int('last'), 3);
  assert.equal(flags.int('memory'), 64 * 2 ** 20);
  assert.deepEqual(args, ['x']);
});

test('flags end at -- and, where a command says so, at the first argument', () => {
  assert.deepEqual(parse('a -d -- -t').args, ['a', '-t']);
  const { args, flags } = parse('-d image sh -t', false);
  assert.deepEqual(args, ['image', 'sh', '-t']);
  assert.equal(flags.bool('tty'), false);
});

test('booleans take a value only after =', () => {
  assert.equal(parse('--tty=false').flags.bool('tty'), false);
  assert.deepEqual(parse('--tty false').args, ['false']);
});

test('strings flags split as CSV, old spellings count for the new, defaults stay until changed', () => {
  const { flags } = parse('--port 1,2 --port 3 --net x');
  assert.deepEqual(flags.list('port'), ['1', '2', '3']);
  assert.equal(flags.text('network'), 'x');
  assert.equal(flags.int('last'), -1);
  assert.equal(flags.changed('last'), false);
});

const ERRORS: [string, string][] = [
  ['--foo', 'unknown flag: --foo'],
  ['--detahc', 'unknown flag: --detahc\nDid you mean --detach?'],
  ['-x', "unknown shorthand flag: 'x' in -x"],
  ['--env', 'flag needs an argument: --env'],
  ['-e', "flag needs an argument: 'e' in -e"],
  ['-m x', 'invalid argument "x" for "-m, --memory" flag: invalid size: \'x\''],
  ['-n x', 'invalid argument "x" for "-n, --last" flag: strconv.ParseInt: parsing "x": invalid syntax'],
  ['--cpus x', 'invalid argument "x" for "--cpus" flag: failed to parse x as a rational number'],
  ['--help=x', 'invalid argument "x" for "--help" flag: strconv.ParseBool: parsing "x": invalid syntax'],
  ['--tty=x', 'invalid argument "x" for "-t, --tty" flag: strconv.ParseBool: parsing "x": invalid syntax'],
];
for (const [line, message] of ERRORS)
  test(`${line} is refused in Docker's words`, () => assert.throws(() => parse(line), { message }));

test('help is a request, not an error', () => {
  assert.throws(() => parse('--help'), HelpRequest);
  assert.throws(
    () => parse('-h'),
    (error) => error instanceof HelpRequest && error.viaShorthand,
  );
});

test('the nearest name is the one that was meant, or none', () => {
  assert.equal(nearest('iamges', ['images', 'image', 'ps']), 'images');
  assert.equal(nearest('xyzzy', ['images', 'ps']), undefined);
});

test('an empty filter asks for nothing, an empty list of texts has none, and CSV errors name the column in bytes', () => {
  const specs: FlagSpec[] = [
    { name: 'filter', type: 'filter', usage: '' },
    { name: 'platform', type: 'strings', usage: '' },
  ];
  const { flags } = parseFlags(specs, ['--filter=', '--platform='], true);
  assert.deepEqual([flags.list('filter'), flags.list('platform')], [[], []]);
  for (const [text, column] of [
    ['1,"2', 5],
    ['"a"b', 3],
    ['é,a"b', 5],
  ] as const)
    assert.throws(() => parseFlags(specs, [`--platform=${text}`], true), {
      message: new RegExp(`line 1, column ${column}:`),
    });
});
