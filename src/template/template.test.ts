import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dockerFunctions, execute, parseTemplate, TypedNil, typeName } from './index.ts';

const data = {
  Name: 'web',
  N: 3,
  F: 1.5,
  Big: 1e21,
  B: true,
  Nil: null,
  List: ['a', 'b', 'c'],
  Nums: [1, 2],
  Map: { z: '1', a: '2' },
  Deep: { In: { X: 'x' } },
  None: new TypedNil('slice'),
  Row: { [typeName]: '*formatter.Row', ID: () => 'id', Label: (key: unknown) => `<${key}>` },
};
const render = (source: string, missingKeyIsError = false) =>
  execute(parseTemplate('', source, dockerFunctions, { missingKeyIsError }), data);

const TABLE: [string, string][] = [
  ['plain', 'plain'],
  ['{{.Name}} {{.N}} {{.F}} {{.B}} {{.Big}}', 'web 3 1.5 true 1e+21'],
  ['{{.Map}} {{.List}} {{.None}}', 'map[a:2 z:1] [a b c] []'],
  ['{{.Missing}} {{.Nil}} {{.Missing.More}}', '<no value> <no value> <no value>'],
  ['{{.Deep.In.X}}{{(.Deep).In.X}}{{index .Map "z"}}{{index .List 1}}{{index .Map "nope"}}', 'xx1b'],
  ['{{range .List}}<{{.}}>{{end}}', '<a><b><c>'],
  ['{{range $i, $v := .List}}{{$i}}={{$v}} {{end}}', '0=a 1=b 2=c '],
  ['{{range $k, $v := .Map}}{{$k}}{{$v}}{{end}}', 'a2z1'],
  ['{{range .None}}x{{else}}none{{end}}{{range 3}}{{.}}{{end}}', 'none012'],
  ['{{range .List}}{{if eq . "b"}}{{continue}}{{end}}{{.}}{{end}}{{range .List}}{{break}}{{end}}', 'ac'],
  ['{{with .Deep}}{{.In.X}}{{end}}{{with .Nil}}y{{else}}n{{end}}{{with .Nil}}{{else with .Name}}{{.}}{{end}}', 'xnweb'],
  ['{{if .Nil}}1{{else if .B}}2{{else}}3{{end}}', '2'],
  ['{{$x := "a"}}{{if true}}{{$x = "b"}}{{end}}{{$x}}{{$.Name}}', 'bweb'],
  ['{{.Name | upper | printf "%-6s|%q" "x"}}', 'x     |"WEB"'],
  [
    '{{printf "%5.2f %x %X %05d %t %v %T %%" .F 255 "hi" .N .B .List .Name}}',
    ' 1.50 ff 6869 00003 true [a b c] string %',
  ],
  ['{{printf "%d %s" "a" 1}}{{printf "%d"}}{{printf "x" 1}}', '%!d(string=a) %!s(int=1)%!d(MISSING)x%!(EXTRA int=1)'],
  ['{{len .List}}{{len .Name}}{{len .Map}}{{slice .Name 1}}{{slice .List 0 2}}', '332eb[a b]'],
  ['{{json .List}}{{json .Nil}}{{json .None}}{{json .Map}}', '["a","b","c"]nullnull{"a":"2","z":"1"}'],
  [
    '{{join .List ","}} {{split "a:b" ":"}} {{title "ab cd"}} {{lower "AB"}} {{pad "a" 1 2}}| {{truncate "abcdef" 3}}',
    'a,b,c [a b] Ab Cd ab  a  | abc',
  ],
  [
    '{{and .B .Name}} {{or .Nil "x"}} {{not .B}} {{eq .N 1 2 3}} {{ne .N 3}} {{lt 1 2}} {{ge "b" "a"}}',
    'web x false true false true true',
  ],
  ['a {{- /* c */ -}} b {{- "x" -}} c', 'abxc'],
  ['{{define "t"}}[{{.}}]{{end}}{{template "t" .Name}}{{block "u" .N}}{{.}}!{{end}}', '[web]3!'],
  ['{{print 1 2 "a" 3}}|{{println "a" 1}}', '1 2a3|a 1\n'],
  ['{{html "<a>"}}{{urlquery "a b&"}}{{js "it\'s"}}', "&lt;a&gt;a+b%26it\\'s"],
  ['{{.Row.ID}}{{.Row.Label "k"}}{{"k" | .Row.Label}}', 'id<k><k>'],
  ['{{truncate "é€x" 2}}{{slice "é€x" 2 5}}{{.Row}}', 'é€{id}'],
  ['{{"\\t\\u00e9"}}{{`raw`}}{{\'a\'}}{{0x10}}{{1.5}}', '\téraw97161.5'],
];
for (const [source, want] of TABLE) test(`${source} renders as Go does`, () => assert.equal(render(source), want));

const ERRORS: [string, string][] = [
  ['{{', 'template: :1: unclosed action'],
  ['{{.', 'template: :1: illegal number syntax: "."'],
  ['{{.Row.ID 1}}', 'template: :1:6: executing "" at <.Row.ID>: wrong number of args for ID: want 0 got 1'],
  ['{{range $i, $c := "ab"}}{{end}}', 'template: :1:18: executing "" at <"ab">: range can\'t iterate over ab'],
  ['{{template "x"}}', 'template: :1:11: executing "" at <{{template "x"}}>: template "x" not defined'],
  ['{{foo}}', 'template: :1: function "foo" not defined'],
  ['{{end}}', 'template: :1: unexpected {{end}}'],
  ['{{if .B}}', 'template: :1: unexpected EOF'],
  ['{{}}', 'template: :1: missing value for command'],
  ['{{$x}}', 'template: :1: undefined variable "$x"'],
  [
    'a\n{{.Row.Nope}}',
    'template: :2:6: executing "" at <.Row.Nope>: can\'t evaluate field Nope in type *formatter.Row',
  ],
  ['{{.Name.X}}', 'template: :1:7: executing "" at <.Name.X>: can\'t evaluate field X in type string'],
  ['{{.Nil.X}}', 'template: :1:6: executing "" at <.Nil.X>: nil pointer evaluating interface {}.X'],
  ['{{index .List 7}}', 'template: :1:2: executing "" at <index .List 7>: error calling index: index out of range: 7'],
  ['{{eq .N "x"}}', 'template: :1:2: executing "" at <eq .N "x">: error calling eq: incompatible types for comparison'],
];
for (const [source, want] of ERRORS)
  test(`${JSON.stringify(source)} fails with Go's message`, () =>
    assert.throws(() => render(source), { message: want }));

test('a missing key is an error when so asked', () =>
  assert.throws(() => render('{{.Nope}}', true), {
    message: 'template: :1:2: executing "" at <.Nope>: map has no entry for key "Nope"',
  }));
