import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dockerFunctions, execute, parseTemplate } from '../../template/index.ts';
import { SCHEMAS } from './schemas.ts';
import { typed } from './typed.ts';

const container = {
  Id: 'abc',
  State: { Status: 'running', Running: true, Pid: 7, StartedAt: 's', FinishedAt: 'f' },
  Config: {
    Labels: { b: '2', a: '1' },
    Healthcheck: { Test: ['CMD', 'x'], Interval: 90_000_000_000 },
    ExposedPorts: { '80/tcp': {} },
  },
  HostConfig: { Dns: ['1.1.1.1'], Memory: 5, Ulimits: [{ Name: 'nofile', Soft: 1, Hard: 2 }] },
};
const render = (source: string): string =>
  execute(parseTemplate('', source, dockerFunctions), typed('container.InspectResponse', container));

const TABLE: [string, string][] = [
  ['{{.ID}} {{.State}}', 'abc {running true false false false false 7 0  s f <nil>}'],
  ['{{.HostConfig.DNS}} {{.HostConfig.Memory}} {{.HostConfig.Ulimits}}', '[1.1.1.1] 5 [nofile=1:2]'],
  ['{{.Config.Healthcheck}} {{.Config.Healthcheck.Interval}}', '{[CMD x] 1m30s 0s 0s 0s 0} 1m30s'],
  ['{{json .Config.Healthcheck}}', '{"Test":["CMD","x"],"Interval":90000000000}'],
  ['{{json .Config.Labels}} {{.Config.Labels.c}} {{index .Config.Labels "c"}}', '{"a":"1","b":"2"} <no value> '],
  ['{{.Config.ExposedPorts}} {{.Config.StopTimeout}} {{.Config.Shell}} {{.SizeRw}}', 'map[80/tcp:{}] <nil> [] <nil>'],
  ['{{with .State.Health}}healthy{{else}}no{{end}} {{len .Mounts}}', 'no 0'],
];
for (const [source, want] of TABLE)
  test(`${source} sees Go's fields`, () => {
    assert.equal(render(source), want);
  });

const ERRORS: [string, RegExp][] = [
  ['{{.Id}}', /can't evaluate field Id in type container.InspectResponse/],
  ['{{.State.toString}}', /can't evaluate field toString in type \*container.State/],
  ['{{len .State}}', /len of type \*container.State/],
  ['{{index .HostConfig.PortBindings "80/tcp"}}', /value has type string; should be nat.Port/],
  ['{{.State.Health.Status}}', /nil pointer evaluating \*container.Health.Status/],
];
for (const [source, want] of ERRORS) test(`${source} is an error`, () => assert.throws(() => render(source), want));

test('every type that a field names is there', () => {
  for (const name of SCHEMAS.match(/^[a-zA-Z0-9]+\.\w+/gm)!) assert.doesNotThrow(() => typed(name, {}), name);
});
