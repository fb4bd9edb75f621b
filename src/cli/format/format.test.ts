import assert from 'node:assert/strict';
import { test } from 'node:test';
import { indentJson } from './indent-json.ts';
import { displayPorts } from './ports.ts';
import { checkFormat, renderRows } from './rows.ts';
import { tabulate } from './tabwriter.ts';
import { ellipsis, goTime, humanDuration } from './text.ts';

test('columns are as wide as their widest cell plus three, at least ten, and the last is not padded', () => {
  assert.equal(tabulate('ID\tNAME\nabcdefghij\tx\n'), 'ID           NAME\nabcdefghij   x\n');
  assert.equal(tabulate('A\tB\n1\t2\n'), 'A         B\n1         2\n');
});

test('durations are told as Docker tells them', () => {
  const second = 1000;
  const hour = 3600 * second;
  const table: [number, string][] = [
    [0, 'Less than a second'],
    [second, '1 second'],
    [59 * second, '59 seconds'],
    [61 * second, 'About a minute'],
    [59 * 60 * second, '59 minutes'],
    [hour, 'About an hour'],
    [47 * hour, '47 hours'],
    [13 * 24 * hour, '13 days'],
    [59 * 24 * hour, '8 weeks'],
    [300 * 24 * hour, '10 months'],
    [800 * 24 * hour, '2 years'],
  ];
  for (const [ms, text] of table) assert.equal(humanDuration(ms), text);
});

test('published ports are joined to ranges, mapped ones come after', () => {
  const port = (PrivatePort: number, PublicPort?: number, IP?: string) => ({
    PrivatePort,
    PublicPort,
    IP,
    Type: 'tcp',
  });
  assert.equal(displayPorts([port(80), port(81), port(90)]), '80-81/tcp, 90/tcp');
  assert.equal(
    displayPorts([port(80, 8080, '0.0.0.0'), port(80, 8080, '::')]),
    '0.0.0.0:8080->80/tcp, [::]:8080->80/tcp',
  );
  assert.equal(displayPorts([port(80, 80, '0.0.0.0'), port(81, 81, '0.0.0.0')]), '0.0.0.0:80-81->80-81/tcp');
  assert.equal(displayPorts(null), '');
});

test('a cut text ends in an ellipsis and wide characters count two columns', () => {
  assert.equal(ellipsis('abcdef', 4), 'abc…');
  assert.equal(ellipsis('日本語', 5), '日本…');
  assert.equal(ellipsis('abc', 3), 'abc');
});

test('rows are rendered as tables, as JSON with escaped markup, and by templates', () => {
  const spec = { type: 'formatter.X', headers: { ID: 'ID', Name: 'NAME' } };
  const rows = [{ ID: () => '1', Name: () => '<a>' }];
  assert.equal(renderRows('table {{.ID}}\\t{{upper .Name}}', spec, rows), 'ID        NAME\n1         <A>\n');
  assert.equal(renderRows('json', spec, rows), '{"ID":"1","Name":"\\u003ca\\u003e"}\n');
  assert.equal(renderRows('table {{.ID}}{{json .}}', spec, rows), 'ID\n1{"ID":"1","Name":"\\u003ca\\u003e"}\n');
  assert.throws(() => checkFormat('{{.Nope}}', spec, rows[0]!), { message: /^failed to execute template: .*Nope/ });
  assert.throws(() => renderRows('{{.Nope}}', spec, rows), {
    message:
      'template parsing error: template: :1:2: executing "" at <.Nope>: can\'t evaluate field Nope in type *formatter.X',
  });
  assert.throws(() => renderRows('{{', spec, []), {
    message: 'template parsing error: template: :1: unclosed action',
  });
});

test('JSON is indented without touching its tokens', () => {
  assert.equal(
    indentJson('{"a":[1,{}],"b":"x{\\"","n":9223372036854775807}'),
    '{\n    "a": [\n        1,\n        {}\n    ],\n    "b": "x{\\"",\n    "n": 9223372036854775807\n}',
  );
});

test('a time is written as Go writes it, in the zone of the machine', () => {
  assert.match(goTime(0), /^19(69|70)-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4} \S+$/);
});
