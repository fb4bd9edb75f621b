import assert from 'node:assert/strict';
import { test } from 'node:test';
import { applyChanges } from './changes.ts';

test('changes are Dockerfile instructions', () => {
  const table: [string[], object][] = [
    [['CMD ls -l'], { Cmd: ['/bin/sh', '-c', 'ls -l'] }],
    [['CMD ["a","b"]'], { Cmd: ['a', 'b'] }],
    [['CMD'], { Cmd: ['/bin/sh', '-c'] }],
    [['CMD a\nENV b=c'], { Cmd: ['/bin/sh', '-c', 'a'], Env: ['b=c'] }],
    [['ENV A=b C="d e"'], { Env: ['A=b', 'C=d e'] }],
    [['ENV A=1', 'ENV B=$A/2', 'ENV A=3'], { Env: ['A=3', 'B=1/2'] }],
    [['ENV a b=c d'], { Env: ['a=b=c d'] }],
    [
      ['EXPOSE 80-81 53/udp 127.0.0.1:90:99 80/TCP 82/'],
      { ExposedPorts: { '53/udp': {}, '80/tcp': {}, '81/tcp': {}, '82/tcp': {}, '99/tcp': {} } },
    ],
    [['LABEL a=b "c d"=e'], { Labels: { a: 'b', 'c d': 'e' } }],
    [['VOLUME /a /b', 'VOLUME ["/c d"]'], { Volumes: { '/a': {}, '/b': {}, '/c d': {} } }],
    [['USER a b'], { User: 'a b' }],
    [['WORKDIR a', 'WORKDIR b'], { WorkingDir: '/a/b' }],
    [['ONBUILD RUN x'], { OnBuild: ['RUN x'] }],
    [['STOPSIGNAL SIGINT'], { StopSignal: 'SIGINT' }],
    [['STOPSIGNAL 1000'], { StopSignal: '1000' }],
    [['HEALTHCHECK --interval=5s CMD x y'], { Healthcheck: { Test: ['CMD-SHELL', 'x y'], Interval: 5e9 } }],
    [['HEALTHCHECK NONE'], { Healthcheck: { Test: ['NONE'] } }],
  ];
  for (const [changes, expected] of table) {
    const set = Object.entries(applyChanges({}, changes)).filter(([, value]) => value !== undefined);
    assert.deepEqual(Object.fromEntries(set), expected, changes.join('; '));
  }
});

test('an entry point takes away the command that was meant for the one before', () => {
  assert.equal(applyChanges({ Cmd: ['old'] }, ['ENTRYPOINT ["x"]']).Cmd, undefined);
  assert.deepEqual(applyChanges({ Cmd: ['old'] }, ['CMD ["new"]', 'ENTRYPOINT ["x"]']).Cmd, ['new']);
});

test("what is no change is refused in Docker's words", () => {
  const table: Record<string, string> = {
    'RUN x': 'RUN is not a valid change command',
    'FOO x': 'FOO is not a valid change command',
    'COPY a b': 'COPY is not a valid change command',
    'FROM x': 'FROM is not a valid change command',
    'SHELL ["a"]': 'SHELL is not a valid change command',
    ENV: 'ENV requires at least one argument',
    'ENV a': 'ENV must have two arguments',
    'ENV =b': 'ENV names can not be blank',
    'EXPOSE x': 'Invalid containerPort: x',
    'EXPOSE 70000': 'Invalid containerPort: 70000',
    'EXPOSE 80/foo': 'Invalid proto: foo',
    'LABEL a=b c': 'Syntax error - can\'t find = in "c". Must be of the form: name=value',
    'ONBUILD ONBUILD x': "Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed",
    'ONBUILD FROM x': "FROM isn't allowed as an ONBUILD trigger",
    USER: 'USER requires exactly one argument',
    'STOPSIGNAL FOO': 'invalid signal: FOO',
    'STOPSIGNAL 0': 'invalid signal: 0',
    HEALTHCHECK: 'HEALTHCHECK requires at least one argument',
    'HEALTHCHECK FOO': 'Unknown type "FOO" in HEALTHCHECK (try CMD)',
    'HEALTHCHECK CMD': 'Missing command after HEALTHCHECK CMD',
    'VOLUME [""]': 'VOLUME specified can not be an empty string',
    '#x': 'file with no instructions',
    '': 'file with no instructions',
  };
  for (const [change, message] of Object.entries(table))
    assert.throws(() => applyChanges({}, [change]), { message }, change);
});
