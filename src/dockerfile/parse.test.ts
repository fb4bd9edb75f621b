import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDockerfile } from './index.ts';

const lines = (...given: string[]): string => given.join('\n');
const first = (text: string) => parseDockerfile(`FROM a\n${text}`).stages[0]!.instructions[0]!;
const failure = (text: string): string => {
  try {
    parseDockerfile(text);
  } catch (error) {
    return (error as Error).message;
  }
  return '';
};

test('errors are those of the reference', () => {
  for (const [text, message] of [
    ['FRO x', 'dockerfile parse error on line 1: unknown instruction: FRO (did you mean FROM?)'],
    ['# only', 'failed to parse Dockerfile: file with no instructions'],
    ['RUN x', 'no build stage in current context'],
    ['FROM a b c', 'dockerfile parse error on line 1: FROM requires either one or three arguments'],
    [
      'FROM a AS 1x',
      `dockerfile parse error on line 1: invalid name for build stage: "1x", name can't start with a number or contain symbols`,
    ],
    [
      'FROM a\nCOPY a',
      'dockerfile parse error on line 2: COPY requires at least two arguments, but only one was provided. Destination could not be determined',
    ],
    ['FROM a\nENV', 'dockerfile parse error on line 2: ENV requires at least one argument'],
    ['FROM a\nENV a', 'failed to parse Dockerfile: ENV must have two arguments'],
    [
      'FROM a\nENV a=b c',
      `failed to parse Dockerfile: Syntax error - can't find = in "c". Must be of the form: name=value`,
    ],
    ['FROM a\nENV =b', 'dockerfile parse error on line 2: ENV names can not be blank'],
    ['FROM a\nRUN --mont=x ls', 'dockerfile parse error on line 2: unknown flag: --mont (did you mean mount?)'],
    ['FROM a\nHEALTHCHECK x', 'dockerfile parse error on line 2: Unknown type "X" in HEALTHCHECK (try CMD)'],
    ['FROM a\nHEALTHCHECK NONE x', 'dockerfile parse error on line 2: HEALTHCHECK NONE takes no arguments'],
    [
      'FROM a\nHEALTHCHECK --interval=1us CMD x',
      'dockerfile parse error on line 2: Interval "interval" cannot be less than 1ms',
    ],
    ['FROM a\nVOLUME [""]', 'dockerfile parse error on line 2: VOLUME specified can not be an empty string'],
    [
      `FROM a\n# ${'x'.repeat(65_534)}`,
      'failed to parse Dockerfile: dockerfile line greater than max allowed size of 65535',
    ],
    ['FROM a\nSHELL', 'dockerfile parse error on line 2: SHELL requires at least one argument'],
    ['FROM a\nSHELL x', 'dockerfile parse error on line 2: SHELL requires the arguments to be in JSON form'],
    ['FROM a\nONBUILD FROM x', "dockerfile parse error on line 2: FROM isn't allowed as an ONBUILD trigger"],
    [
      'FROM a\nONBUILD ONBUILD RUN',
      "dockerfile parse error on line 2: Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed",
    ],
    ['FROM a\nCOPY <<E /x\nabc', 'failed to parse Dockerfile: unterminated heredoc'],
    ['#escape=x\nFROM a', "failed to parse Dockerfile: invalid escape token 'x' does not match ` or \\"],
    ['#escape=`\n#escape=`\nFROM a', 'failed to parse Dockerfile: only one escape parser directive can be used'],
    ['FROM a\nCOPY --parents a /b', 'dockerfile parse error on line 2: unknown flag: --parents'],
  ] as const)
    assert.equal(failure(text), message, text);
});

test('continuations, comments and empty lines inside them make one line', () => {
  const run = first(lines('RUN a \\', '# a comment', '', '  b \\  ', '  c'));
  assert.deepEqual(run.name === 'RUN' && run.command, { shell: 'a   b   c' });
  assert.equal(run.line, 2);
});

test('another escape character leaves backslashes alone', () => {
  const file = parseDockerfile(lines('# escape=`', 'FROM a', 'RUN dir c:\\ `', ' d'));
  assert.equal(file.stages[0]!.instructions[0]!.original, 'RUN dir c:\\  d');
});

test('exec form needs JSON with double quotes; all else is the shell form', () => {
  for (const [text, command] of [
    ['CMD ["a", "b c"]', { exec: ['a', 'b c'] }],
    ["CMD ['a', 'b']", { shell: "['a', 'b']" }],
    ['CMD a $HOME', { shell: 'a $HOME' }],
    ['ENTRYPOINT []', { exec: [] }],
    ['CMD ["\\ud83d\\ude00\\ud83d"]', { exec: ['\u{1F600}\uFFFD'] }],
  ] as const) {
    const instruction = first(text);
    assert.deepEqual('command' in instruction && instruction.command, command, text);
  }
});

test('ENV and LABEL have two forms, and keep quotes for the substitution', () => {
  for (const [text, pairs] of [
    ['ENV a b c', [['a', 'b c']]],
    [
      'ENV a=b c="d e"',
      [
        ['a', 'b'],
        ['c', '"d e"'],
      ],
    ],
    ['LABEL "x y"=1', [['"x y"', '1']]],
    [
      'ENV a=x\\ y b=2',
      [
        ['a', 'x\\ y'],
        ['b', '2'],
      ],
    ],
  ] as const) {
    const instruction = first(text);
    assert.deepEqual('pairs' in instruction && instruction.pairs, pairs, text);
  }
});

test('COPY knows its flags, forms and here-documents', () => {
  const copy = first('COPY --from=x --chown=1:2 --exclude=a --exclude=b a "b" /c/');
  assert.ok(copy.name === 'COPY');
  assert.deepEqual(
    [copy.from, copy.chown, copy.exclude, copy.sources, copy.destination],
    ['x', '1:2', ['a', 'b'], ['a', '"b"'], '/c/'],
  );
  const json = first('COPY ["a b", "/c d/"]');
  assert.deepEqual(json.name === 'COPY' && [json.sources, json.destination], [['a b'], '/c d/']);
  const text = first(lines('COPY <<-EOF <<"X" /d/', '\tone $a', '\tEOF', 'two', 'X'));
  assert.deepEqual(text.name === 'COPY' && text.heredocs, [
    { name: 'EOF', expand: true, chomp: true, content: '\tone $a\n' },
    { name: 'X', expand: false, chomp: false, content: 'two\n' },
  ]);
});

test('here-documents keep the ends of their lines, and have names with blanks before and in them', () => {
  const heredocs = (text: string) => {
    const run = first(text);
    return run.name === 'RUN' && run.heredocs.map(({ name, expand, content }) => [name, expand, content]);
  };
  assert.deepEqual(heredocs('RUN cat <<EOF\r\na\r\nEOF\r\n'), [['EOF', true, 'a\r\n']]);
  assert.deepEqual(heredocs('RUN cat <<  EOF > /f\na\nEOF\n'), [['EOF', true, 'a\n']]);
  assert.deepEqual(heredocs("RUN cat <<'E F' > /f\na\nE F\n"), [['E F', false, 'a\n']]);
  assert.deepEqual(heredocs('RUN cat <<\\EOF\na\nEOF\n'), [['EOF', true, 'a\n']]);
  assert.deepEqual(heredocs('RUN echo $((1 << 2))\n'), []);
});

test('stages have names, numbers and platforms; ARGs before them are global', () => {
  const file = parseDockerfile(
    lines('ARG v=1', 'FROM --platform=$BUILDPLATFORM a:$v AS Build', 'RUN x', 'FROM build', 'ARG a b=2'),
  );
  assert.deepEqual(
    file.metaArgs.map(({ args }) => args),
    [[{ name: 'v', value: '1' }]],
  );
  assert.deepEqual(
    file.stages.map(({ name, base, platform }) => [name, base, platform]),
    [
      ['build', 'a:$v', '$BUILDPLATFORM'],
      [undefined, 'build', undefined],
    ],
  );
  const arg = file.stages[1]!.instructions[0]!;
  assert.deepEqual(arg.name === 'ARG' && arg.args, [{ name: 'a' }, { name: 'b', value: '2' }]);
});

test('a newer syntax allows --parents', () => {
  for (const tag of [':1-labs', ':1', ':1.20', ':latest', '', '@sha256:0']) {
    const file = parseDockerfile(lines(`# syntax=docker/dockerfile${tag}`, 'FROM a', 'COPY --parents a/./b /c/'));
    const copy = file.stages[0]!.instructions[0]!;
    assert.equal(copy.name === 'COPY' && copy.parents, true, tag);
  }
  for (const first of ['# syntax=docker/dockerfile:1.19', '# syntax=localhost:5000/dockerfile:1.2', '#'])
    assert.throws(() => parseDockerfile(lines(first, 'FROM a', 'COPY --parents a /c/')), /unknown flag: --parents/);
});
