import assert from 'node:assert/strict';
import { test } from 'node:test';
import { embeddedResolvConf, parseResolvConf, plainResolvConf } from './resolv-conf.ts';

const request = (host: string, rest: Partial<Parameters<typeof plainResolvConf>[0]> = {}) => ({
  host,
  servers: [],
  search: [],
  options: [],
  ipv6: false,
  ...rest,
});
const lines = (text: string) => text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));

test('servers, the last search list and all options are read; comments are not', () => {
  assert.deepEqual(
    parseResolvConf(
      '# x\nnameserver 1.1.1.1 # one\nnameserver ::1\nsearch a b\ndomain c\noptions ndots:2 rotate\noptions edns0\n',
    ),
    { servers: ['1.1.1.1', '::1'], search: ['c'], options: ['ndots:2', 'rotate', 'edns0'] },
  );
});

test('the default bridge gets the host’s servers but those on its loopback, or public ones if none is left', () => {
  assert.deepEqual(
    lines(plainResolvConf(request('nameserver 127.0.0.53\nnameserver 10.1.1.1\nnameserver fd00::1\n'), false)),
    ['nameserver 10.1.1.1'],
  );
  assert.deepEqual(lines(plainResolvConf(request('nameserver 127.0.0.53\n'), false)), [
    'nameserver 8.8.8.8',
    'nameserver 8.8.4.4',
  ]);
  assert.deepEqual(lines(plainResolvConf(request('nameserver 127.0.0.53\n'), true)), ['nameserver 127.0.0.53']);
});

test('what is asked for replaces the host’s, and a search of . clears it', () => {
  const text = plainResolvConf(
    request('nameserver 10.1.1.1\nsearch corp\noptions rotate\n', {
      servers: ['127.0.0.1'],
      search: ['.'],
      options: ['ndots:1'],
    }),
    false,
  );
  assert.deepEqual(lines(text), ['nameserver 127.0.0.1', 'options ndots:1']);
  assert.match(text, /^# Overrides: \[nameservers search options\]$/m);
});

test('user-defined networks get the embedded server and ndots:0 unless something else was asked for', () => {
  assert.deepEqual(lines(embeddedResolvConf(request('nameserver 10.1.1.1\nsearch corp\n'))), [
    'nameserver 127.0.0.11',
    'search corp',
    'options ndots:0',
  ]);
  assert.deepEqual(lines(embeddedResolvConf(request('', { options: ['ndots:5'] }))), [
    'nameserver 127.0.0.11',
    'options ndots:5',
  ]);
});
