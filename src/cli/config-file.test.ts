import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { readConfig } from './config-file.ts';

const root = mkdtempSync(join(tmpdir(), 'gt-config-'));
after(() => rmSync(root, { recursive: true }));
let count = 0;
function configOf(text: string | undefined) {
  const dir = join(root, String(count++));
  mkdirSync(dir);
  if (text !== undefined) writeFileSync(join(dir, 'config.json'), text);
  const warnings: string[] = [];
  return { config: readConfig(dir, (warning) => warnings.push(warning)), warnings, file: join(dir, 'config.json') };
}

test('a missing or empty configuration is an empty one', () => {
  for (const text of [undefined, '', ' \n', 'null']) {
    const { config, warnings } = configOf(text);
    assert.deepEqual([config.data, warnings], [{}, []]);
  }
});

test('a file that is no JSON object is warned about, counts for nothing and is not replaced', () => {
  for (const text of ['{ bad', '[]', '3']) {
    const { config, warnings, file } = configOf(text);
    assert.deepEqual(config.data, {});
    assert.equal(warnings.length, 1);
    assert.ok(warnings[0]!.startsWith(`WARNING: Error parsing config file (${file}): `), warnings.join());
    assert.throws(() => config.save(), /not replaced/);
    assert.equal(readFileSync(file, 'utf8'), text);
  }
});

test('a key of the wrong type is warned about in the words of Go, the others count', () => {
  const { config, warnings } = configOf('{"psFormat": 3, "imagesFormat": "x", "plugins": {"a": {"b": "c"}}}');
  assert.deepEqual(config.data, { imagesFormat: 'x', plugins: { a: { b: 'c' } } });
  assert.match(
    warnings.join(),
    /json: cannot unmarshal number into Go struct field ConfigFile.psFormat of type string/,
  );
});

test('credentials that are none are warned about', () => {
  assert.match(configOf('{"auths":{"r":{"auth":"!!!"}}}').warnings.join(), /illegal base64 data at input byte 0/);
  assert.match(configOf('{"auths":{"r":{"auth":"Zm9v"}}}').warnings.join(), /Invalid auth configuration file/);
  assert.deepEqual(configOf('{"auths":{"r":{"auth":"YTpi"}}}').warnings, []);
});

test('what it does not know is kept when it is saved', () => {
  const { config, file } = configOf('{"plugins":{"a":{"b":"c"}},"psFormat":"x"}');
  config.data.currentContext = 'far';
  config.save();
  assert.deepEqual(JSON.parse(readFileSync(file, 'utf8')), {
    plugins: { a: { b: 'c' } },
    psFormat: 'x',
    currentContext: 'far',
  });
});
