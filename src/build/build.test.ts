import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDockerfile } from '../dockerfile/index.ts';
import { globalArguments, StageArguments, unusedArguments } from './arguments.ts';
import { parsePlatform } from './base-images.ts';
import { neededStages, targetStage } from './graph.ts';
import { classicLanes } from './messages.ts';
import { readParameters } from './parameters.ts';
import { readMount } from './run-mounts.ts';

const FILE = parseDockerfile(
  'ARG V=1\nFROM a AS one\nFROM b AS two\nFROM one AS three\nCOPY --from=0 /x /\nFROM c\nRUN --mount=from=two,target=/t x',
);

test('only the stages that the target stands on are needed', () => {
  const needed = (target?: string) =>
    neededStages(FILE, targetStage(FILE, target), (stage) => stage.base).map(({ index }) => index);
  assert.deepEqual(needed(), [1, 3]);
  assert.deepEqual(needed('three'), [0, 2]);
  assert.deepEqual(needed('1'), [1]);
  assert.throws(() => targetStage(FILE, 'x'), { message: 'target stage "x" could not be found' });
});

test('of the options of a mount only switches stand without a value', () => {
  const read = (text: string) => readMount(text, '/', (value) => value);
  assert.throws(() => read('x'), { message: "invalid field 'x' must be a key=value pair" });
  assert.throws(() => read('target=/t,From'), { message: "invalid field 'From' must be a key=value pair" });
  assert.throws(() => read('x=1,target=/t'), { message: "unexpected key 'x' in 'x=1'" });
  assert.throws(() => read('target=/t,ro=zz'), { message: 'invalid value for ro: zz' });
  assert.deepEqual(
    ['target=/t,rw', 'target=/t,RO', 'target=/t,readwrite=F'].map((text) => 'readonly' in read(text) && read(text)),
    [false, true, true].map((readonly) => ({ ...read('target=/t'), readonly })),
  );
});

test('arguments are the caller’s, the default, the global one or the platform’s, in this order', () => {
  const given = new Map([['A', 'given']]);
  const platform = new Map([['TARGETOS', 'linux']]);
  const { values } = globalArguments(FILE, given, platform);
  const args = new StageArguments(given, values, platform);
  args.declare('A', 'default');
  args.declare('B', 'default');
  args.declare('V', undefined);
  args.declare('TARGETOS', undefined);
  args.declare('NONE', undefined);
  args.declare('AGAIN', '1');
  args.declare('AGAIN', undefined);
  assert.deepEqual(args.forCommand(['B=env']).told, ['A=given', 'AGAIN=1', 'TARGETOS=linux', 'V=1']);
  assert.deepEqual(
    unusedArguments(
      FILE,
      new Map([
        ['V', '1'],
        ['X', '1'],
        ['http_proxy', 'p'],
      ]),
    ),
    ['X'],
  );
});

test('a proxy is seen in both cases, and told to no history', () => {
  const args = new StageArguments(new Map([['HTTP_PROXY', 'p']]), new Map(), new Map());
  assert.deepEqual(args.forCommand([]), { told: [], hidden: ['HTTP_PROXY=p', 'http_proxy=p'] });
  args.declare('HTTP_PROXY', undefined);
  assert.deepEqual(args.forCommand(['http_proxy=e']), { told: ['HTTP_PROXY=p'], hidden: [] });
});

test('later stages’ messages wait for their turn', () => {
  const sent: unknown[] = [];
  const messages = classicLanes((message) => sent.push(message.stream));
  const [first, second] = [messages.lane('a'), messages.lane('b')];
  second.output('b', 1);
  first.output('a', 1);
  assert.deepEqual(sent, ['a']);
  first.done();
  second.output('c', 1);
  assert.deepEqual(sent, ['a', 'b', 'c']);
});

test('parameters are read as dockerd reads them; what is not done is refused', () => {
  const read = readParameters({
    t: ['a', 'b'],
    nocache: '1',
    q: 'false',
    memory: '64',
    extrahosts: '["a:1"]',
    cachefrom: '["x"]',
    squash: '1',
  });
  assert.deepEqual(
    [read.tags, read.noCache, read.quiet, read.resources, read.extraHosts, read.squash],
    [['a', 'b'], true, false, { Memory: 64 }, ['a:1'], true],
  );
  for (const [params, why] of [
    [{ version: '2' }, /BuildKit sessions/],
    [{ outputs: '[{"Type":"local"}]' }, /outputs/],
    [{ memory: 'x' }, /invalid syntax/],
    [{ networkmode: 'container:x' }, /container/],
  ] as const)
    assert.throws(() => readParameters(params), why);
});

test('platforms are read in their short forms', () => {
  const own = { os: 'linux', architecture: 'amd64' };
  assert.deepEqual(parsePlatform('linux', own), own);
  assert.deepEqual(parsePlatform('linux/arm64/v8', own), { os: 'linux', architecture: 'arm64' });
  assert.deepEqual(parsePlatform('armhf', own), { os: 'linux', architecture: 'arm', variant: 'v7' });
  assert.throws(() => parsePlatform('foo', own), {
    message: 'failed to parse platform foo: "foo": unknown operating system or architecture: invalid argument',
  });
});
