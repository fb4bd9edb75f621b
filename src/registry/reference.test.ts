import assert from 'node:assert/strict';
import { test } from 'node:test';
import { familiarName, familiarString, fullName, parseReference, withDefaultTag } from './reference.ts';

const HEX = 'a'.repeat(64);

test('references are read as Docker reads them', () => {
  const table: Record<string, [domain: string, path: string, tag?: string, digest?: string]> = {
    busybox: ['docker.io', 'library/busybox'],
    'busybox:1.36': ['docker.io', 'library/busybox', '1.36'],
    'user/app': ['docker.io', 'user/app'],
    'docker.io/busybox': ['docker.io', 'library/busybox'],
    'index.docker.io/busybox': ['docker.io', 'library/busybox'],
    'localhost/app': ['localhost', 'app'],
    'localhost:5000/app:v1': ['localhost:5000', 'app', 'v1'],
    'host:5000/a/b/c': ['host:5000', 'a/b/c'],
    'UPPER/app': ['UPPER', 'app'],
    '127.0.0.1:5000/x@sha256:REPLACED': ['127.0.0.1:5000', 'x', undefined, `sha256:${HEX}`],
    'x:v1@sha256:REPLACED': ['docker.io', 'library/x', 'v1', `sha256:${HEX}`],
    '[::1]:5000/x': ['[::1]:5000', 'x'],
    'a__b/c-d.e_f': ['docker.io', 'a__b/c-d.e_f'],
    [HEX.slice(1)]: ['docker.io', `library/${HEX.slice(1)}`],
  };
  for (const [text, [domain, path, tag, digest]] of Object.entries(table))
    assert.deepEqual(parseReference(text.replace('REPLACED', HEX)), { domain, path, tag, digest }, text);
});

test('what Docker refuses is refused in its words', () => {
  const table: Record<string, RegExp> = {
    '': /^invalid reference format$/,
    Foo: /^invalid reference format: repository name \(library\/Foo\) must be lowercase$/,
    'a..b': /^invalid reference format$/,
    'a/': /^invalid reference format$/,
    'a:': /^invalid reference format$/,
    'a:b c': /^invalid reference format$/,
    'a@sha256:12': /^invalid reference format$/,
    [`a@md5:${HEX.slice(0, 32)}`]: /^unsupported digest algorithm$/,
    [`a@sha256:${HEX.slice(1)}`]: /^invalid checksum digest length$/,
    '-a': /^invalid reference format$/,
    'http://x/y': /^invalid reference format$/,
    [HEX]: /^invalid repository name \(a{64}\), cannot specify 64-byte hexadecimal strings$/,
    [`x.y/${'a'.repeat(256)}`]: /^repository name must not be more than 255 characters$/,
  };
  for (const [text, message] of Object.entries(table)) assert.throws(() => parseReference(text), { message }, text);
});

test('short names leave out what is understood', () => {
  const short = (text: string) => familiarString(withDefaultTag(parseReference(text)));
  assert.equal(short('docker.io/library/busybox'), 'busybox:latest');
  assert.equal(short('docker.io/user/app:v1'), 'user/app:v1');
  assert.equal(short('host:1/library/x'), 'host:1/library/x:latest');
  assert.equal(short(`x:v1@sha256:${HEX}`), `x:v1@sha256:${HEX}`);
  assert.equal(familiarName(parseReference('library/a/b')), 'library/a/b');
  assert.equal(fullName(parseReference('busybox')), 'docker.io/library/busybox');
});
